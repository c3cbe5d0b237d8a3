package org.maniple.tokenizer.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.text.TextException;

/** What the files beside a tokenizer.json add to it. */
class ModelFilesTest {
    private static final List<Map<String, Object>> HELLO = List.of(Map.of("role", "user", "content", "hi"));

    @TempDir
    private Path model;

    @BeforeEach
    void writeTokenizer() throws IOException {
        write("tokenizer.json", new TokenizerFiles().tokens("<s>", "</s>", "h", "i").section("added_tokens", """
                [{"id": 0, "content": "<s>", "special": true}, {"id": 1, "content": "</s>", "special": true}]""").json());
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(model.resolve(name), text);
    }

    private HfTextCodec load() {
        return new ModelFiles(model).load(Clock.fixed(Instant.parse("2025-03-09T08:07:06Z"), ZoneOffset.UTC));
    }

    @Test
    void aDirectoryNeedsATokenizerJson() throws IOException {
        var provider = new HfTokenizerProvider();
        assertThat(provider.name()).isEqualTo("hf");
        assertThat(provider.accepts(model)).isTrue();
        assertThat(provider.accepts(model.resolve("tokenizer.json"))).isTrue();
        Files.delete(model.resolve("tokenizer.json"));
        assertThat(provider.accepts(model)).isFalse();
    }

    @Test
    void theTokenizerAloneHasNoTemplateAndAddsNothing() {
        var codec = load();
        assertThat(codec.hasChatTemplate()).isFalse();
        assertThat(codec.encode("hi", true)).containsExactly(2, 3);
        assertThatThrownBy(() -> codec.chat(HELLO, Map.of())).isInstanceOf(TextException.class)
                .hasMessageContaining("this model has no chat template");
    }

    @Test
    void addBosTokenPutsExactlyOneInFront() throws IOException {
        write("tokenizer_config.json",
                "{\"add_bos_token\": true, \"bos_token\": {\"content\": \"<s>\"}, \"add_eos_token\": true, "
                        + "\"eos_token\": \"</s>\"}");
        assertThat(load().encode("hi", true)).containsExactly(0, 2, 3, 1);
        assertThat(load().encode("<s>hi", true)).containsExactly(0, 2, 3, 1);
        assertThat(load().encode("hi", false)).containsExactly(2, 3);
    }

    @Test
    void addBosTokenFalseTakesItAway() throws IOException {
        write("tokenizer.json",
                new TokenizerFiles().tokens("<s>", "h", "i")
                        .section("post_processor",
                                """
                                        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                                         "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}""")
                        .json());
        assertThat(load().encode("hi", true)).containsExactly(0, 1, 2);
        write("tokenizer_config.json", "{\"add_bos_token\": false, \"bos_token\": \"<s>\"}");
        assertThat(load().encode("hi", true)).containsExactly(1, 2);
    }

    @Test
    void addBosTokenWithoutSuchATokenIsAnError() throws IOException {
        write("tokenizer_config.json", "{\"add_bos_token\": true, \"bos_token\": \"<none>\"}");
        assertThatThrownBy(this::load).hasMessageContaining("tokenizer_config.json, field add_bos_token")
                .hasMessageContaining("<none>");
    }

    @Test
    void specialTokensMapFillsInForTheConfiguration() throws IOException {
        write("special_tokens_map.json", "{\"bos_token\": {\"content\": \"<s>\"}}");
        write("tokenizer_config.json", "{\"chat_template\": \"{{ bos_token }}{{ eos_token }}{{ messages[0].content }}\"}");
        assertThat(load().chat(HELLO, Map.of())).isEqualTo("<s>hi");
    }

    @Test
    void aTemplateFileIsTakenBeforeTheConfiguration() throws IOException {
        write("tokenizer_config.json", "{\"chat_template\": \"{{ broken\"}");
        write("chat_template.jinja", "{{ strftime_now('%Y') }}");
        assertThat(load().chat(HELLO, Map.of())).isEqualTo("2025");
    }

    @Test
    void ofSeveralTemplatesTheOneForToolsIsTakenWithTools() throws IOException {
        write("tokenizer_config.json",
                """
                        {"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "{{ tools|length }}"}]}""");
        assertThat(load().chat(HELLO, Map.of())).isEqualTo("plain");
        assertThat(load().chat(HELLO, Map.of("tools", List.of(Map.of())))).isEqualTo("1");
    }

    @Test
    void variablesCannotReplaceTheMessagesOrTheModelsTokens() throws IOException {
        write("tokenizer_config.json", "{\"bos_token\": \"<s>\"}");
        write("chat_template.jinja", "{{ bos_token }}{{ messages|length }}");
        assertThat(load().chat(HELLO, Map.of("messages", List.of(), "bos_token", "x"))).isEqualTo("<s>1");
    }

    @Test
    void aBrokenTemplateIsFoundWhenTheModelIsLoaded() throws IOException {
        write("tokenizer_config.json", "{\"chat_template\": \"a\\n{% if %}\"}");
        assertThatThrownBy(this::load).isInstanceOf(TokenizerFileException.class)
                .hasMessageContaining("tokenizer_config.json, field chat_template").hasMessageContaining("line 2");
    }

    @Test
    void whatTheTemplateRaisesIsToldWithItsLine() throws IOException {
        write("chat_template.jinja", "\n{{ raise_exception('no') }}");
        assertThatThrownBy(() -> load().chat(HELLO, Map.of())).isInstanceOf(TextException.class)
                .hasMessage("chat template, line 2: no");
    }

    @Test
    void aConfigurationThatIsNoObjectIsRefused() throws IOException {
        write("tokenizer_config.json", "[]");
        assertThatThrownBy(this::load).isInstanceOf(TokenizerFileException.class).hasMessageContaining("expected an object");
    }

    @Test
    void aFileTooLargeIsNotRead() throws IOException {
        try (var file = java.nio.channels.FileChannel.open(model.resolve("tokenizer_config.json"),
                java.nio.file.StandardOpenOption.CREATE,
                java.nio.file.StandardOpenOption.WRITE)) {
            file.write(java.nio.ByteBuffer.allocate(1), BoundedFiles.LARGEST_CONFIG);
        }
        assertThatThrownBy(this::load).hasMessageContaining("more than the 16777216 accepted");
    }
}
