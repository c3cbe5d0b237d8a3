package org.maniple.checkpoint.gguf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.checkpoint.TokenizerParts;

/** What the metadata says, in the form of the files beside a published checkpoint. The tokenizer is read when it is asked for. */
final class GgufCompanions implements CompanionFiles {

    private static final String CONFIG = "config.json";
    private static final String GENERATION = "generation_config.json";
    private static final String TOKENIZER = "tokenizer.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";

    private final Metadata metadata;
    private final Map<String, Object> config;
    private final Set<String> names = new TreeSet<>(Set.of(CONFIG, GENERATION));

    private GgufCompanions(Metadata metadata, Map<String, Object> config) {
        this.metadata = metadata;
        this.config = config;
        if (metadata.has(TokenizerMetadata.MODEL)) {
            names.addAll(List.of(TOKENIZER, TOKENIZER_CONFIG));
        }
    }

    /** The files of a model, which may be closed afterwards. */
    static GgufCompanions of(GgufModel model) {
        return new GgufCompanions(model.metadata(), Architectures.of(model).config());
    }

    @Override
    public String origin() {
        return metadata.file().toString();
    }

    @Override
    public Set<String> names() {
        return Set.copyOf(names);
    }

    @Override
    public Optional<byte[]> read(String name) {
        if (!names.contains(name)) {
            return Optional.empty();
        }
        return Optional.of(switch (name) {
            case CONFIG -> JsonOutput.of(config);
            case GENERATION -> JsonOutput.of(generation());
            case TOKENIZER -> new TokenizerFile(new TokenizerMetadata(metadata)).json();
            default -> JsonOutput.of(tokenizerConfig());
        });
    }

    @Override
    public Optional<TokenizerParts> tokenizer() {
        return names.contains(TOKENIZER)
                ? Optional.of(new TokenizerFile(new TokenizerMetadata(metadata)).parts())
                : Optional.empty();
    }

    private Map<String, Object> generation() {
        var values = new LinkedHashMap<String, Object>();
        metadata.integer("tokenizer.ggml.bos_token_id").ifPresent(id -> values.put("bos_token_id", id));
        if (metadata.has(TokenizerMetadata.MODEL)) {
            values.put("eos_token_id", new ArrayList<>(new TokenizerMetadata(metadata).ends()));
        }
        return values;
    }

    private Map<String, Object> tokenizerConfig() {
        var values = new LinkedHashMap<String, Object>();
        var tokenizer = new TokenizerMetadata(metadata);
        var words = Map.of("bos", "bos_token", "eos", "eos_token", "unknown", "unk_token", "padding", "pad_token");
        var ids = new HashMap<String, Integer>();
        words.forEach((word, key) -> tokenizer.id(word, tokenizer.size()).ifPresent(id -> ids.put(key, id)));
        Map<Integer, String> texts = tokenizer.tokens(ids.values()::contains);
        ids.forEach((key, id) -> values.put(key, texts.getOrDefault(id, "")));
        var named = new ArrayList<Map<String, Object>>();
        for (String key : metadata.keys()) {
            if (key.startsWith("tokenizer.chat_template.")) {
                named.add(Map.of("name", key.substring("tokenizer.chat_template.".length()), "template",
                        metadata.requiredText(key)));
            }
        }
        metadata.text("tokenizer.chat_template").ifPresent(template -> {
            named.add(Map.of("name", "default", "template", template));
            values.put("chat_template", named.size() == 1 ? template : named);
        });
        return values;
    }
}
