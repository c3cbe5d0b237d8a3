package org.maniple.serve.openai;

import java.util.List;

/**
 * Refuses fields that other servers know and this one does not yet: to ignore them would give an answer to another question. A field
 * that asks for nothing (null, false, empty) is accepted.
 */
final class LaterFields {

    private static final List<String> NOT_YET = List.of(
            "structural_tag", "stop_regex", "use_beam_search", "suffix", "lora_path", "lora_name", "kv_transfer_params",
            "bootstrap_host",
            "bootstrap_port", "bootstrap_room", "thinking_token_budget", "return_hidden_states",
            "logprob_token_ids",
            "prompt_embeds", "mm_processor_kwargs", "media_io_kwargs", "vllm_xargs", "logits_processors",
            "custom_logit_processor",
            "repetition_detection", "functions", "function_call", "audio", "prediction", "web_search_options");

    private LaterFields() {}

    static void check(Fields fields) {
        for (String name : NOT_YET) {
            if (fields.asks(name)) {
                throw fields.problem(name, "is not supported by this server; leave it out");
            }
        }
        if (fields.asks("chat_template")) {
            throw fields.problem("chat_template",
                    "is not accepted: a server runs no templates of its clients; use chat_template_kwargs");
        }
        checkBestOf(fields);
        if (fields.has("modalities") && !List.of("text").equals(fields.raw("modalities"))) {
            throw fields.problem("modalities", "can only be [\"text\"]");
        }
    }

    private static void checkBestOf(Fields fields) {
        int bestOf = fields.integer("best_of", 1, Integer.MAX_VALUE).orElse(1);
        if (bestOf > 1) {
            throw fields.problem("best_of", "can only be 1: only as many answers are generated as are returned");
        }
    }
}
