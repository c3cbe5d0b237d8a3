"""Makes tiny checkpoints with known outputs, for architectures that have none elsewhere.

Run from the top of the repository, in a virtual environment outside of it:

    python3 -m venv ../venv-ref
    ../venv-ref/bin/pip install torch transformers safetensors
    ../venv-ref/bin/python integration-tests/src/test/scripts/make_references.py [NAME ...]

Each NAME (all of them by default) becomes a directory of integration-tests/src/test/resources/references:

    config.json, generation_config.json, model.safetensors   as in a published checkpoint of the architecture: its tensor
                                                             names, its layouts, bfloat16 (or MXFP4) weights
    expected.json, expected.safetensors                      what transformers computes from them

Weights are random from a fixed seed. The reference is transformers in float32 with eager attention and eager experts, reading
the stored files through its own loader, so that a layout misunderstood here would be misunderstood by transformers too; MXFP4
is dequantised there, which float32 does exactly, and compared here with a dequantisation of our own. Prompts are drawn until every
greedy step has a gap between its two best logits of at least MIN_GAP of their spread, and every choice of experts a margin of at
least MIN_MARGIN of the spread of its scores: both are hundreds of times the rounding of float32, so a token or an expert that
differs is an error. Another version of torch or transformers may give other last digits and, rarely, other prompts.

expected.json:
    prompts.K.ids, .output_ids   token ids in, and greedy tokens out ("steps" of them; the end token is ignored)
    prompts.K.logit_rows         rows of logits.K: row 0 belongs to the last position of the prompt, row i follows output_ids[i-1]
    batch                        prompts meant to run together
    routing                      of one prompt, per layer and token: the experts and their weights, by falling weight
    eos_case                     a prompt that ends early if this were the end token
    measured                     smallest gap and margin; largest difference between logits of one prompt alone and in a batch
expected.safetensors (float32): logits.K [logit_rows, vocabulary]; for the prompt p7: prompt_logits.p7 (every position),
hidden.p7.0 (what the first layer sees), hidden.p7.<i+1> (after layer i), hidden.p7.norm, attn.p7.<i> and mlp.p7.<i> (what the
two halves of a layer add to the residual stream).
"""
import json
import math
import pathlib
import shutil
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

STEPS = 12
MIN_GAP = 1e-2
MIN_MARGIN = 3e-4
LENGTHS = {"p1": 1, "p7": 7, "p16": 16, "p17": 17, "p33": 33, "p70": 70, "b0": 3, "b1": 18, "b2": 10}
BATCH = ["b0", "b1", "b2"]
ALL_ROWS = {"p1", "p7", "p33"}
TRACED = "p7"
EARLY_END = "p33"
OUT = pathlib.Path(__file__).resolve().parent.parent / "resources" / "references"

COMMON = {
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
    "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "tie_word_embeddings": False,
    "attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True, "bos_token_id": 1, "eos_token_id": 2,
    "torch_dtype": "bfloat16", "transformers_version": "4.51.0",
}

QWEN2_MOE = COMMON | {
    "architectures": ["Qwen2MoeForCausalLM"], "model_type": "qwen2_moe", "intermediate_size": 48, "rope_theta": 1000000.0,
    "decoder_sparse_step": 1, "mlp_only_layers": [1], "moe_intermediate_size": 16, "shared_expert_intermediate_size": 32,
    "num_experts": 8, "num_experts_per_tok": 3, "norm_topk_prob": False, "use_sliding_window": False, "sliding_window": 64,
    "max_window_layers": 3, "output_router_logits": False, "router_aux_loss_coef": 0.001,
}
GRANITE = COMMON | {
    "architectures": ["GraniteForCausalLM"], "model_type": "granite", "intermediate_size": 96, "rope_theta": 10000.0,
    "attention_bias": False, "mlp_bias": False, "attention_multiplier": 0.11, "embedding_multiplier": 12.0,
    "residual_multiplier": 0.22, "logits_scaling": 6.0, "rope_scaling": None,
}
GRANITE_MOE = COMMON | {
    "architectures": ["GraniteMoeForCausalLM"], "model_type": "granitemoe", "intermediate_size": 24, "rope_theta": 10000.0,
    "attention_bias": False, "attention_multiplier": 0.11, "embedding_multiplier": 12.0, "residual_multiplier": 0.22,
    "logits_scaling": 6.0, "num_local_experts": 6, "num_experts_per_tok": 3, "tie_word_embeddings": True,
    "output_router_logits": False, "router_aux_loss_coef": 0.0, "rope_scaling": None,
}
KIMI_K2 = COMMON | {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "kimi_k2", "num_key_value_heads": 4, "intermediate_size": 48,
    "moe_intermediate_size": 16, "num_nextn_predict_layers": 0, "n_shared_experts": 1, "n_routed_experts": 8,
    "num_experts_per_tok": 3, "n_group": 1, "topk_group": 1, "topk_method": "noaux_tc", "scoring_func": "sigmoid",
    "norm_topk_prob": True, "routed_scaling_factor": 2.827, "first_k_dense_replace": 1, "moe_layer_freq": 1,
    "q_lora_rank": 24, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
    "rope_theta": 50000, "attention_bias": False, "max_position_embeddings": 1024,
    "rope_scaling": {"type": "yarn", "factor": 32, "original_max_position_embeddings": 32, "beta_fast": 1, "beta_slow": 1,
                     "mscale": 1.0, "mscale_all_dim": 1.0},
}
GPT_OSS = COMMON | {
    "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss", "head_dim": 16, "intermediate_size": 64,
    "rms_norm_eps": 1e-5, "num_local_experts": 6, "num_experts_per_tok": 2, "experts_per_token": 2, "attention_bias": True,
    "sliding_window": 12, "swiglu_limit": 7.0, "initial_context_length": 32, "max_position_embeddings": 1024, "rope_theta": 150000,
    "rope_scaling": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
                     "original_max_position_embeddings": 32},
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "output_router_logits": False,
    "router_aux_loss_coef": 0.9,
    "quantization_config": {"quant_method": "mxfp4",
                            "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router",
                                                       "model.embed_tokens", "lm_head"]},
}
MODELS = {"qwen2-moe": (QWEN2_MOE, 11), "granite": (GRANITE, 12), "granite-moe": (GRANITE_MOE, 13), "kimi-k2": (KIMI_K2, 14),
          "gpt-oss-mxfp4": (GPT_OSS, 15)}


class Weights:
    """Random tensors under their published names."""

    def __init__(self, config, seed):
        self.c = config
        self.random = torch.Generator().manual_seed(seed)
        self.tensors = {}

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.random)

    def put(self, name, tensor, dtype=torch.bfloat16):
        self.tensors[name] = tensor.to(dtype).contiguous()

    def matrix(self, name, *shape, gain=1.0):
        """[..., out, in] with outputs of about `gain` for inputs of about 1."""
        self.put(name, self.normal(*shape) * gain / math.sqrt(shape[-1]))

    def linear(self, name, out, into, gain=1.0, bias=False):
        self.matrix(name + ".weight", out, into, gain=gain)
        if bias:
            self.put(name + ".bias", 0.5 * self.normal(out))

    def norm(self, name, width, gain=1.0):
        self.put(name + ".weight", gain * (1 + 0.3 * self.normal(width)))

    def glu(self, prefix, ffn, gain=1.5):
        self.linear(prefix + "gate_proj", ffn, self.c["hidden_size"], gain=1.5)
        self.linear(prefix + "up_proj", ffn, self.c["hidden_size"], gain=1.5)
        self.linear(prefix + "down_proj", self.c["hidden_size"], ffn, gain)

    def attention(self, prefix, input_bias=False, output_bias=False, gain=1.5):
        hidden, heads, kv = self.c["hidden_size"], self.c["num_attention_heads"], self.c["num_key_value_heads"]
        width = self.c.get("head_dim") or hidden // heads
        self.linear(prefix + "q_proj", heads * width, hidden, 1.5, input_bias)
        self.linear(prefix + "k_proj", kv * width, hidden, 1.5, input_bias)
        self.linear(prefix + "v_proj", kv * width, hidden, 1.5, input_bias)
        self.linear(prefix + "o_proj", hidden, heads * width, gain, output_bias)

    def latent_attention(self, prefix):
        c, hidden, heads = self.c, self.c["hidden_size"], self.c["num_attention_heads"]
        nope, turned, latent = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["kv_lora_rank"]
        self.linear(prefix + "q_a_proj", c["q_lora_rank"], hidden)
        self.norm(prefix + "q_a_layernorm", c["q_lora_rank"])
        self.linear(prefix + "q_b_proj", heads * (nope + turned), c["q_lora_rank"], 1.5)
        self.linear(prefix + "kv_a_proj_with_mqa", latent + turned, hidden)
        self.norm(prefix + "kv_a_layernorm", latent)
        self.linear(prefix + "kv_b_proj", heads * (nope + c["v_head_dim"]), latent, 1.5)
        self.linear(prefix + "o_proj", hidden, heads * c["v_head_dim"], 1.5)

    def mxfp4(self, name, outer, into, gain=1.0):
        """Blocks and scales [*outer, in/32(, 16)]: elements of 4 bits, the lower half of a byte first, scales of 8 bits."""
        codes = torch.randint(0, 16, (*outer, into // 32, 32), generator=self.random, dtype=torch.uint8)
        exponent = math.floor(math.log2(gain / math.sqrt(into) / 2.5))  # elements of 4 bits are about 2.5 large
        scales = 127 + exponent + torch.randint(-1, 3, (*outer, into // 32), generator=self.random)
        self.put(name + "_blocks", codes[..., 0::2] | codes[..., 1::2] << 4, torch.uint8)
        self.put(name + "_scales", scales, torch.uint8)

    def ends(self, embedding=1.0, norm=1.0, head=4.0):
        hidden, vocabulary = self.c["hidden_size"], self.c["vocab_size"]
        self.put("model.embed_tokens.weight", embedding * self.normal(vocabulary, hidden))
        self.norm("model.norm", hidden, norm)
        if not self.c["tie_word_embeddings"]:
            self.linear("lm_head", vocabulary, hidden, gain=head)

    def layers(self):
        for layer in range(self.c["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            self.norm(prefix + "input_layernorm", self.c["hidden_size"])
            self.norm(prefix + "post_attention_layernorm", self.c["hidden_size"])
            yield layer, prefix


def qwen2_moe(w):
    c, hidden = w.c, w.c["hidden_size"]
    w.ends()
    for layer, prefix in w.layers():
        w.attention(prefix + "self_attn.", input_bias=True)
        if layer in c["mlp_only_layers"]:
            w.glu(prefix + "mlp.", c["intermediate_size"])
            continue
        w.linear(prefix + "mlp.gate", c["num_experts"], hidden, gain=1.5)
        for expert in range(c["num_experts"]):
            w.glu(f"{prefix}mlp.experts.{expert}.", c["moe_intermediate_size"])
        w.glu(prefix + "mlp.shared_expert.", c["shared_expert_intermediate_size"])
        w.linear(prefix + "mlp.shared_expert_gate", 1, hidden)


def granite(w):
    w.ends(embedding=0.5 / w.c["embedding_multiplier"], head=24.0)
    for _, prefix in w.layers():
        w.attention(prefix + "self_attn.", gain=6.0)
        w.glu(prefix + "mlp.", w.c["intermediate_size"], gain=6.0)


def granite_moe(w):
    c, hidden, ffn, experts = w.c, w.c["hidden_size"], w.c["intermediate_size"], w.c["num_local_experts"]
    w.ends(embedding=0.3 / c["embedding_multiplier"], norm=120.0)  # the head is the embedding, and logits are divided
    for _, prefix in w.layers():
        w.attention(prefix + "self_attn.", gain=6.0)
        w.matrix(prefix + "block_sparse_moe.input_linear.weight", experts, 2 * ffn, hidden, gain=1.5)
        w.matrix(prefix + "block_sparse_moe.output_linear.weight", experts, hidden, ffn, gain=6.0)
        w.linear(prefix + "block_sparse_moe.router.layer", experts, hidden)


def kimi_k2(w):
    c, hidden, ffn = w.c, w.c["hidden_size"], w.c["moe_intermediate_size"]
    w.ends()
    for layer, prefix in w.layers():
        w.latent_attention(prefix + "self_attn.")
        if layer < c["first_k_dense_replace"]:
            w.glu(prefix + "mlp.", c["intermediate_size"])
            continue
        w.linear(prefix + "mlp.gate", c["n_routed_experts"], hidden, gain=1.5)
        w.put(prefix + "mlp.gate.e_score_correction_bias", 0.2 * w.normal(c["n_routed_experts"]), torch.float32)
        for expert in range(c["n_routed_experts"]):
            w.glu(f"{prefix}mlp.experts.{expert}.", ffn)
        w.glu(prefix + "mlp.shared_experts.", ffn * c["n_shared_experts"])


def gpt_oss(w):
    c, hidden, ffn, experts = w.c, w.c["hidden_size"], w.c["intermediate_size"], w.c["num_local_experts"]
    w.ends()
    for _, prefix in w.layers():
        w.attention(prefix + "self_attn.", input_bias=True, output_bias=True)
        w.put(prefix + "self_attn.sinks", w.normal(c["num_attention_heads"]))
        w.linear(prefix + "mlp.router", experts, hidden, bias=True)
        w.mxfp4(prefix + "mlp.experts.gate_up_proj", (experts, 2 * ffn), hidden, gain=4.0)  # enough to reach the clamp
        w.put(prefix + "mlp.experts.gate_up_proj_bias", 0.5 * w.normal(experts, 2 * ffn))
        w.mxfp4(prefix + "mlp.experts.down_proj", (experts, hidden), ffn, gain=0.2)
        w.put(prefix + "mlp.experts.down_proj_bias", 0.5 * w.normal(experts, hidden))


MAKERS = {"qwen2_moe": qwen2_moe, "granite": granite, "granitemoe": granite_moe, "kimi_k2": kimi_k2, "gpt_oss": gpt_oss}
E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def dequantised(blocks, scales):
    """The elements of an MXFP4 tensor as float32, [*outer, in]."""
    codes = torch.stack([blocks & 15, blocks >> 4], -1).flatten(-2).long()
    return torch.ldexp(E2M1[codes], scales.int().unsqueeze(-1) - 127).flatten(-2)


def load(config, directory):
    """The checkpoint as transformers reads it, in float32."""
    renamed = dict(config)
    if config["model_type"] == "kimi_k2":
        renamed["model_type"] = "deepseek_v3"  # transformers knows the architecture under this name only
    options = {}
    if "quantization_config" in config:
        options["quantization_config"] = transformers.Mxfp4Config(dequantize=True)
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(directory / "model.safetensors", copy)
        (pathlib.Path(copy) / "config.json").write_text(json.dumps(renamed))
        model, report = AutoModelForCausalLM.from_pretrained(
            copy, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager", output_loading_info=True,
            **options)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[what]:
            raise SystemExit(f"{what}: {report[what]}")
    return model.float().eval()


def check_mxfp4(config, model, tensors):
    if "quantization_config" not in config:
        return
    for layer, block in enumerate(model.model.layers):
        for name in ("gate_up_proj", "down_proj"):
            stored = f"model.layers.{layer}.mlp.experts.{name}"
            ours = dequantised(tensors[stored + "_blocks"], tensors[stored + "_scales"]).transpose(1, 2)
            if not torch.equal(ours, getattr(block.mlp.experts, name).data):
                raise SystemExit(stored + ": transformers dequantises it to something else")


def first(output):
    return output[0] if isinstance(output, tuple) else output


class Trace:
    """What passes through the modules of a model during one forward pass."""

    def __init__(self, model):
        self.hidden, self.attn, self.mlp, self.routers, self.norm = {}, {}, {}, {}, None
        self.handles = [model.model.norm.register_forward_hook(self.keep_norm)]
        for i, layer in enumerate(model.model.layers):
            if i == 0:
                self.handles.append(layer.register_forward_pre_hook(lambda m, args: self.hidden.update({0: args[0]})))
            self.handles.append(layer.register_forward_hook(self.keeper(self.hidden, i + 1)))
            self.handles.append(layer.self_attn.register_forward_hook(self.keeper(self.attn, i)))
            half = layer.block_sparse_moe if hasattr(layer, "block_sparse_moe") else layer.mlp
            self.handles.append(half.register_forward_hook(self.keeper(self.mlp, i)))
            router = getattr(half, "router", getattr(half, "gate", None))
            if router is not None:
                bias = getattr(router, "e_score_correction_bias", None)
                self.handles.append(router.register_forward_hook(self.router_keeper(i, bias)))

    def keep_norm(self, module, args, output):
        self.norm = output

    @staticmethod
    def keeper(where, key):
        return lambda module, args, output: where.update({key: first(output)})

    def router_keeper(self, layer, bias):
        return lambda module, args, output: self.routers.update({layer: (*output, bias)})

    def close(self):
        for handle in self.handles:
            handle.remove()

    def margins(self, config):
        """Per layer and token: how far the last chosen score lies above the next, relative to the spread of all."""
        margins = []
        for logits, _, _, bias in self.routers.values():
            scores = logits.double()
            if config["model_type"] == "kimi_k2":
                scores = scores.sigmoid() + bias
            elif config["model_type"] == "qwen2_moe":
                scores = scores.softmax(-1)
            ranked = scores.sort(-1, descending=True).values
            k = config["num_experts_per_tok"]
            margins.append((ranked[:, k - 1] - ranked[:, k]) / (ranked[:, 0] - ranked[:, -1]))
        return torch.stack(margins) if margins else None


def forward(model, ids):
    """Logits of every position [prompts, positions, vocabulary], and the trace."""
    trace = Trace(model)
    try:
        return model(ids, use_cache=False).logits, trace
    finally:
        trace.close()


def continued(model, ids):
    """Greedy continuations [prompts, STEPS] and, per prompt, the smallest gap."""
    outputs, gaps = [], []
    for _ in range(STEPS):
        logits = forward(model, ids)[0][:, -1]
        best = logits.topk(2, -1)
        spread = logits.max(-1).values - logits.min(-1).values
        gaps.append((best.values[:, 0] - best.values[:, 1]) / spread)
        outputs.append(best.indices[:, 0])
        ids = torch.cat([ids, best.indices[:, :1]], 1)
    return torch.stack(outputs, 1), torch.stack(gaps, 1).min(1).values


def drawn(config, model, length, random):
    """A prompt whose greedy continuation leaves no doubt, with that continuation."""
    for _ in range(60):
        many = torch.randint(3, config["vocab_size"], (16, length), generator=random)
        _, gaps = continued(model, many)
        for candidate in (gaps >= 1.2 * MIN_GAP).nonzero().flatten().tolist():
            ids = many[candidate:candidate + 1]
            outputs, gap = continued(model, ids)
            logits, trace = forward(model, torch.cat([ids, outputs], 1)[:, :-1])
            margins = trace.margins(config)
            margin = math.inf if margins is None else margins.min().item()
            if gap.item() >= MIN_GAP and margin >= MIN_MARGIN and len(outputs.unique()) >= 4:
                return ids, outputs, logits[0, length - 1:], gap.item(), margin
    raise SystemExit(f"no prompt of length {length} is free of doubt; choose another seed")


def routing(trace):
    layers = {}
    for layer, (_, weights, experts, _) in trace.routers.items():
        weights, order = weights.sort(-1, descending=True)
        layers[str(layer)] = {"experts": experts.gather(1, order).tolist(),
                              "weights": [[round(w, 7) for w in row] for row in weights.tolist()]}
    return {"prompt": TRACED, "layers": layers}


def traced(config, model, ids):
    logits, trace = forward(model, ids)
    tensors = {f"prompt_logits.{TRACED}": logits[0], f"hidden.{TRACED}.norm": trace.norm[0]}
    for kind in ("hidden", "attn", "mlp"):
        for layer, value in getattr(trace, kind).items():
            factor = 1 if kind == "hidden" else config.get("residual_multiplier", 1)
            tensors[f"{kind}.{TRACED}.{layer}"] = value[0] * factor
    return tensors, trace


def early_end(outputs):
    tokens = outputs[0].tolist()
    at = next(i for i in range(3, STEPS) if tokens[i] not in tokens[:i])
    return {"prompt": EARLY_END, "eos_token_id": tokens[at], "output_ids": tokens[:at + 1], "finish_reason": "stop"}


@torch.no_grad()
def make(name):
    config, seed = MODELS[name]
    directory = OUT / name
    directory.mkdir(parents=True, exist_ok=True)
    weights = Weights(config, seed)
    MAKERS[config["model_type"]](weights)
    save_file(weights.tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (directory / "generation_config.json").write_text(json.dumps(
        {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "do_sample": False,
         "transformers_version": "4.51.0"}, indent=2) + "\n")

    model = load(config, directory)
    check_mxfp4(config, model, weights.tensors)
    random = torch.Generator().manual_seed(1000 + seed)
    prompts, tensors, gaps, margins, drift = {}, {}, [], [], 0.0
    for key, length in LENGTHS.items():
        ids, outputs, logits, gap, margin = drawn(config, model, length, random)
        rows = STEPS if key in ALL_ROWS else 3
        tensors[f"logits.{key}"] = logits[:rows]
        prompts[key] = {"ids": ids[0].tolist(), "output_ids": outputs[0].tolist(), "logit_rows": rows}
        twice = torch.cat([torch.randint(3, config["vocab_size"], ids.shape, generator=random), ids])
        drift = max(drift, (forward(model, twice)[0][1, -1] - logits[0]).abs().max().item())
        gaps.append(gap)
        margins.append(margin)
        if key == TRACED:
            states, trace = traced(config, model, ids)
            tensors |= states
        if key == EARLY_END:
            end = early_end(outputs)
    expected = {
        "format": "oracle-expected-1", "model": name, "architecture": config["architectures"][0],
        "reference": {"library": "transformers " + transformers.__version__, "torch": torch.__version__.split("+")[0],
                      "compute_dtype": "float32", "attention": "eager",
                      "stored_dtype": "mxfp4" if "quantization_config" in config else "bfloat16",
                      "logits_file": "expected.safetensors"},
        "ignore_eos": True, "steps": STEPS, "prompts": prompts, "batch": BATCH,
        "measured": {"min_gap": round(min(gaps), 5), "batched_vs_single": float(f"{drift:.3g}"),
                     "logit_std": round(tensors["logits.p33"].std().item(), 3)},
        "eos_case": end,
    }
    if trace.routers:
        expected["routing"] = routing(trace)
        expected["measured"]["min_router_margin"] = float(f"{min(margins):.3g}")
    save_file({k: v.contiguous().float() for k, v in tensors.items()}, directory / "expected.safetensors")
    (directory / "expected.json").write_text(json.dumps(expected) + "\n")
    sizes = sum(f.stat().st_size for f in directory.iterdir())
    print(name, f"{sizes / 1024:.0f} KB", expected["measured"], flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for wanted in sys.argv[1:] or MODELS:
        make(wanted)
