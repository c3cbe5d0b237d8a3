"""Makes tiny checkpoints of integers with the packers of the projects that publish them, and what transformers computes from the dequantised weights.

Nothing of it is committed: IntegerCheckpointsTest makes such checkpoints itself, and this shows that it, and the reader, understand the layouts as those
projects do. Run in a virtual environment outside of the repository, then the test PublishedPackersTest with -Dmaniple.integers=OUT:

    python3 -m venv ../venv-ref
    ../venv-ref/bin/pip install torch transformers safetensors compressed-tensors
    ../venv-ref/bin/pip install --no-deps auto-gptq==0.7.1          # its qlinear_cuda_old.py packs and unpacks in Python
    ../venv-ref/bin/pip download --no-deps --no-binary :all: autoawq==0.2.9 && tar xzf autoawq-0.2.9.tar.gz
    ../venv-ref/bin/python integration-tests/src/test/scripts/make_integer_checkpoints.py OUT autoawq-0.2.9

OUT/NAME has config.json and model.safetensors as published, and expected.json and expected.safetensors as make_references.py describes them. Scales are
those of float16 (bfloat16 in compressed-tensors); the dequantised weights are (code - zero point) * scale in float32.
"""
import importlib.util
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

import make_references as references

CONFIG = references.COMMON | {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "intermediate_size": 192, "rope_theta": 10000.0,
                              "hidden_size": 128, "attention_bias": False, "mlp_bias": False, "rope_scaling": None}
PROMPTS = ("p7", "p33", "b1")
GPTQ = {"quant_method": "gptq", "desc_act": False, "checkpoint_format": "gptq"}
SCHEMES = {
    "gptq-4-sym": GPTQ | {"bits": 4, "group_size": 64, "sym": True},
    "gptq-4-asym": GPTQ | {"bits": 4, "group_size": 32, "sym": False},
    "gptq-4-row": GPTQ | {"bits": 4, "group_size": -1, "sym": False},
    "gptq-8-sym": GPTQ | {"bits": 8, "group_size": 32, "sym": True},
    "awq": {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True, "version": "gemm"},
}
for name, weights in {
    "packed-4-sym": {"num_bits": 4, "symmetric": True, "strategy": "group", "group_size": 32},
    "packed-4-asym": {"num_bits": 4, "symmetric": False, "strategy": "group", "group_size": 64},
    "packed-4-channel": {"num_bits": 4, "symmetric": True, "strategy": "channel"},
    "packed-8-channel": {"num_bits": 8, "symmetric": True, "strategy": "channel"},
}.items():
    SCHEMES[name] = {"quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed", "ignore": ["lm_head"],
                     "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights | {"type": "int"}}}}
for name, kind, strategy in (("int-channel", "int", "channel"), ("float-channel", "float", "channel"), ("float-tensor", "float", "tensor")):
    SCHEMES[name] = {"quant_method": "compressed-tensors", "format": kind + "-quantized", "quantization_status": "compressed", "ignore": ["lm_head"],
                     "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8, "type": kind, "symmetric": True,
                                                                                      "strategy": strategy}}}}


def module(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def ranges(weight, group, bits, symmetric, dtype):
    """Scales and zero points [rows, groups] from the extremes of groups."""
    parts = weight.unflatten(1, (-1, group))
    low, high = parts.amin(-1).clamp(max=0), parts.amax(-1).clamp(min=0)
    top = 2 ** bits - 1
    scale = 2 * torch.maximum(-low, high) / top if symmetric else (high - low) / top
    scale = scale.clamp(min=1e-4).to(dtype).float()
    zero = torch.full_like(scale, (top + 1) // 2) if symmetric else (-low / scale).round().clamp(0, top)
    return scale, zero


def gptq(base, weight, values, auto_gptq):
    group = values["group_size"] if values["group_size"] > 0 else weight.shape[1]
    scale, zero = ranges(weight, group, values["bits"], values["sym"], torch.float16)
    # AutoGPTQ packs codes as they are, so that they must not lie outside.
    grid = (weight / scale.repeat_interleave(group, 1) + zero.repeat_interleave(group, 1)).round().clamp(0, 2 ** values["bits"] - 1)
    weight = (grid - zero.repeat_interleave(group, 1)) * scale.repeat_interleave(group, 1)
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data = weight
    packed = auto_gptq.QuantLinear(values["bits"], values["group_size"], weight.shape[1], weight.shape[0], False, weight_dtype=torch.float32)
    packed.pack(linear, scale, zero.clone(), None)
    dequantised = packed(torch.eye(weight.shape[1])).T
    tensors = {base + ".qweight": packed.qweight, base + ".qzeros": packed.qzeros, base + ".scales": packed.scales.half(),
               base + ".g_idx": packed.g_idx}
    return tensors, dequantised


def awq(base, weight, values, packing):
    group = values["group_size"]
    scale, zero = ranges(weight, group, 4, False, torch.float16)
    codes = (weight / scale.repeat_interleave(group, 1) + zero.repeat_interleave(group, 1)).round().clamp(0, 15).to(torch.int32).T
    zeros = zero.to(torch.int32).T

    def packed(matrix):
        words = torch.zeros(matrix.shape[0], matrix.shape[1] // 8, dtype=torch.int32)
        for i, place in enumerate(packing.AWQ_ORDER):
            words |= matrix[:, place::8] << (4 * i)
        return words.contiguous()

    tensors = {base + ".qweight": packed(codes), base + ".qzeros": packed(zeros), base + ".scales": scale.T.half().contiguous()}
    dequantised = packing.dequantize_gemm(tensors[base + ".qweight"], tensors[base + ".qzeros"], tensors[base + ".scales"].float(), 4, group)
    return tensors, dequantised.T


def compressed(base, weight, values):
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    args = QuantizationArgs(**values["config_groups"]["group_0"]["weights"])
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    group = args.group_size or weight.shape[1]
    if args.type == "float":
        scale = weight.abs().amax(1, keepdim=True) / 448
        scale = scale.max().reshape(1) if args.strategy == "tensor" else scale
        state = {"weight": weight.bfloat16(), "weight_scale": scale.bfloat16()}
    else:
        scale, zero = ranges(weight, group, args.num_bits, args.symmetric, torch.bfloat16)
        state = {"weight": weight.bfloat16(), "weight_scale": scale.bfloat16(),
                 "weight_zero_point": (zero - 2 ** (args.num_bits - 1)).to(torch.int8)}
    compressor = BaseCompressor.get_value_from_registry(values["format"])
    packed = compressor.compress(state, scheme)
    opened = {key: value.float() if key == "weight_scale" else value for key, value in packed.items()}
    dequantised = compressor.decompress(opened, scheme)["weight"].float()
    return {f"{base}.{key}": value.contiguous() for key, value in packed.items()}, dequantised


@torch.no_grad()
def make(out, name, quantisation, auto_gptq, packing):
    weights = references.Weights(CONFIG, 21)
    weights.ends()
    for _, prefix in weights.layers():
        weights.attention(prefix + "self_attn.")
        weights.glu(prefix + "mlp.", CONFIG["intermediate_size"])
    published, plain = {}, {}
    for key, tensor in weights.tensors.items():
        if "proj" not in key:
            published[key] = plain[key] = tensor
            continue
        base, weight = key.removesuffix(".weight"), tensor.float()
        method = quantisation["quant_method"]
        tensors, dequantised = (gptq(base, weight, quantisation, auto_gptq) if method == "gptq" else awq(base, weight, quantisation, packing)
                                if method == "awq" else compressed(base, weight, quantisation))
        published |= tensors
        plain[key] = dequantised.contiguous()
    directory, floats = out / name, out / ("floats-of-" + name)
    for folder, tensors in ((directory, published), (floats, plain)):
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (directory / "config.json").write_text(json.dumps(CONFIG | {"quantization_config": quantisation}, indent=2) + "\n")

    model = references.load(CONFIG, floats)
    random = torch.Generator().manual_seed(5)
    prompts, tensors = {}, {}
    for key in PROMPTS:
        length = references.LENGTHS[key]
        ids, outputs, logits, _, _ = references.drawn(CONFIG, model, length, random)
        rows = references.STEPS if key in references.ALL_ROWS else 3
        tensors[f"logits.{key}"] = logits[:rows]
        prompts[key] = {"ids": ids[0].tolist(), "output_ids": outputs[0].tolist(), "logit_rows": rows}
        if key == references.TRACED:
            states, _ = references.traced(CONFIG, model, ids)
    save_file({key: value.contiguous() for key, value in (tensors | states).items()}, directory / "expected.safetensors")
    (directory / "expected.json").write_text(json.dumps({"steps": references.STEPS, "prompts": prompts, "batch": []}))
    print(name, "made")


def main():
    out, autoawq = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = importlib.util.find_spec("auto_gptq")
    if found is None or found.submodule_search_locations is None:
        raise SystemExit("auto-gptq is not installed: pip install --no-deps auto-gptq==0.7.1")
    folder = pathlib.Path(list(found.submodule_search_locations)[0])
    auto_gptq = module(folder / "nn_modules" / "qlinear" / "qlinear_cuda_old.py", "qlinear_cuda_old")
    packing = module(autoawq / "awq" / "utils" / "packing_utils.py", "packing_utils")
    torch.set_num_threads(1)
    for name, quantisation in SCHEMES.items():
        if not (out / name / "expected.json").exists():
            make(out, name, quantisation, auto_gptq, packing)


main()
