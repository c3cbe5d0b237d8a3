package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The files of a model directory that concern text: tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja. */
final class ModelFiles {
    static final String TOKENIZER = "tokenizer.json";
    private static final List<String> SPECIAL_TOKENS = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token",
            "mask_token");

    private final TextFiles files;
    private final Optional<JsonField> config;

    /** Opens a model's directory, or the directory that a tokenizer.json is in. */
    ModelFiles(Path model) {
        this(new TextFiles.InDirectory(Files.isDirectory(model) ? model : model.resolveSibling("")));
    }

    /** Opens a model's files, wherever they are. */
    ModelFiles(TextFiles files) {
        this.files = files;
        this.config = BoundedFiles.config(files, "tokenizer_config.json");
    }

    /** Whether there is a tokenizer.json. */
    static boolean present(Path model) {
        return Files.isRegularFile(model.resolve(TOKENIZER)) || Files.isRegularFile(model) && model.endsWith(TOKENIZER);
    }

    HfTextCodec load(Clock clock) {
        String file = files.label(TOKENIZER);
        var tokenizer = files.tokenizer().map(parts -> TokenizerJson.of(file, parts))
                .orElseGet(() -> TokenizerJson.read(file, files.read(TOKENIZER, BoundedFiles.LARGEST_TOKENIZER)
                        .orElseThrow(() -> new TokenizerFileException(file, "", "is not there"))));
        var special = specialTokens();
        var policy = new SpecialTokenPolicy(rule("add_bos_token", "bos_token", special, tokenizer.tokens()),
                rule("add_eos_token", "eos_token", special, tokenizer.tokens()));
        return new HfTextCodec(tokenizer, policy, new ChatTemplates(chatTemplates(), special, clock));
    }

    private Map<String, String> specialTokens() {
        var tokens = new LinkedHashMap<String, String>();
        var map = BoundedFiles.config(files, "special_tokens_map.json");
        for (var name : SPECIAL_TOKENS) {
            config.flatMap(root -> root.optional(name)).or(() -> map.flatMap(root -> root.optional(name)))
                    .ifPresent(field -> tokens.put(name, (field.isObject() ? field.required("content") : field).string()));
        }
        return Map.copyOf(tokens);
    }

    private SpecialTokenPolicy.Rule rule(String flag, String name, Map<String, String> special, TokenTable tokens) {
        var given = config.flatMap(root -> root.optional(flag));
        if (given.isEmpty()) {
            return SpecialTokenPolicy.Rule.NONE;
        }
        boolean wanted = given.get().bool();
        var token = special.get(name);
        var id = token == null ? OptionalInt.empty() : tokens.find(token);
        if (wanted && id.isEmpty()) {
            throw given.get().error(token == null
                    ? "is true, but there is no " + name
                    : "is true, but the " + name + " \"" + token + "\" is not in " + TOKENIZER);
        }
        return new SpecialTokenPolicy.Rule(id, wanted);
    }

    /** The file chat_template.jinja, else what the configuration has: one template or several with names. */
    private Map<String, ChatTemplate> chatTemplates() {
        String file = "chat_template.jinja";
        var own = files.read(file, BoundedFiles.LARGEST_TEMPLATE);
        if (own.isPresent()) {
            String text = new String(own.get(), StandardCharsets.UTF_8);
            return Map.of(ChatTemplates.DEFAULT, parse(new TemplateSource(files.label(file), "", text)));
        }
        var field = config.flatMap(root -> root.optional("chat_template"));
        if (field.isEmpty()) {
            return Map.of();
        }
        if (!field.get().isArray()) {
            return Map.of(ChatTemplates.DEFAULT, parse(source(field.get())));
        }
        var templates = new LinkedHashMap<String, ChatTemplate>();
        for (var element : field.get().elements()) {
            templates.put(element.required("name").string(), parse(source(element.required("template"))));
        }
        return templates;
    }

    private record TemplateSource(String file, String field, String text) {}

    private static TemplateSource source(JsonField field) {
        return new TemplateSource(field.file(), field.path(), field.string());
    }

    private static ChatTemplate parse(TemplateSource source) {
        try {
            return ChatTemplate.parse(source.text);
        } catch (TemplateException e) {
            throw new TokenizerFileException(source.file, source.field,
                    e.getMessage() + "; a file chat_template.jinja beside " + TOKENIZER + " would be taken instead", e);
        }
    }
}
