package org.maniple.api.text;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A model's tokenizer and chat template. Safe for use by several threads. */
public interface TextCodec {

    /**
     * The number of ids that the tokenizer knows; a model may have more rows in its embedding.
     *
     * @return one more than the largest id
     */
    int vocabularySize();

    /**
     * Encodes a text. Special tokens written out in the text are recognised.
     *
     * @param text any text
     * @param addSpecialTokens whether what the tokenizer puts around a text (for example a begin-of-sequence token) is added
     * @return the ids
     */
    int[] encode(String text, boolean addSpecialTokens);

    /**
     * Decodes ids. Bytes that are no UTF-8 become U+FFFD; an id that the tokenizer does not know becomes nothing.
     *
     * @param ids token ids
     * @param skipSpecial whether special tokens are left out
     * @return the text
     */
    String decode(int[] ids, boolean skipSpecial);

    /**
     * Decodes token by token, never splitting a character.
     *
     * @param prompt ids before the first one that will be pushed, on which its text may depend (leading spaces)
     * @param skipSpecial whether special tokens are left out
     * @return a decoder for one sequence
     */
    IncrementalDecoder decoder(int[] prompt, boolean skipSpecial);

    /**
     * The bytes that a token stands for, which need not be whole characters.
     *
     * @param id a token id
     * @return its bytes; empty if the id is unknown
     */
    byte[] bytes(int id);

    /**
     * A token as the vocabulary spells it.
     *
     * @param id a token id
     * @return its spelling, or empty if the id is unknown
     */
    Optional<String> token(int id);

    /**
     * The id of a token.
     *
     * @param token as the vocabulary spells it
     * @return its id, or empty if there is none
     */
    OptionalInt id(String token);

    /**
     * Whether a token is a special one.
     *
     * @param id a token id
     * @return whether it is
     */
    boolean special(int id);

    /**
     * Whether there is a chat template.
     *
     * @return whether {@link #chat} can be called
     */
    boolean hasChatTemplate();

    /**
     * Renders the chat template. Time and size are bounded.
     *
     * @param messages maps, lists, numbers, texts, booleans as they came in the request; never changed
     * @param variables what else the template sees: {@code add_generation_prompt}, {@code tools}, {@code documents} and any others
     * @return the prompt; what a tokenizer puts around a text must not be added to it again
     * @throws TextException if there is no template, the template refuses its input, or a bound is reached
     */
    String chat(List<Map<String, Object>> messages, Map<String, Object> variables);
}
