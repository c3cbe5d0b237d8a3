package org.maniple.serve.openai;

import java.util.Optional;

/**
 * What a client wants to see of a reply.
 *
 * @param stream whether it comes as a stream of events
 * @param includeUsage whether a stream ends with the usage
 * @param continuousUsage whether every event of a stream has the usage so far
 * @param tokenIds whether token ids are returned
 * @param tokensAsIds whether tokens in logprobs are shown as {@code token_id:17}
 */
record ReplyOptions(boolean stream, boolean includeUsage, boolean continuousUsage, boolean tokenIds, boolean tokensAsIds) {

    static ReplyOptions read(Fields fields) {
        boolean stream = fields.flag("stream", false);
        Optional<Fields> options = fields.object("stream_options");
        if (options.isPresent() && !stream) {
            throw ApiException.invalid("stream_options", "Stream options can only be defined when `stream=True`.");
        }
        boolean include = options.isPresent() && options.get().flag("include_usage", false);
        boolean continuous = options.isPresent() && options.get().flag("continuous_usage_stats", false);
        if (stream && fields.integer("prompt_logprobs", 0, SamplingFields.MAX_LOGPROBS).isPresent()) {
            throw ApiException.invalid("prompt_logprobs", "prompt_logprobs are not available when `stream=True`.");
        }
        return new ReplyOptions(stream, include, include && continuous, fields.flag("return_token_ids", false),
                fields.flag("return_tokens_as_token_ids", false));
    }
}
