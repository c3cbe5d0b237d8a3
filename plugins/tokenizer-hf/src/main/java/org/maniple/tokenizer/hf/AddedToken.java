package org.maniple.tokenizer.hf;

/**
 * A token that is found in the text as it stands instead of being learned.
 *
 * @param id         its id
 * @param content    its text
 * @param singleWord found only where no letter or digit touches it
 * @param lstrip     swallows white space before it
 * @param rstrip     swallows white space after it
 * @param normalized found in the normalised text instead of the original
 * @param special    left out of decodings that skip special tokens
 */
record AddedToken(int id, String content, boolean singleWord, boolean lstrip, boolean rstrip, boolean normalized,
        boolean special) {
    private static final int LONGEST = 1024;

    static AddedToken read(JsonField field) {
        var content = field.required("content");
        if (content.string().isEmpty() || content.string().length() > LONGEST) {
            throw content.error("expected 1 to " + LONGEST + " characters, found " + content.string().length());
        }
        boolean special = field.bool("special", false);
        return new AddedToken(field.required("id").tokenId(), content.string(), field.bool("single_word", false),
                field.bool("lstrip", false), field.bool("rstrip", false), field.bool("normalized", !special), special);
    }
}
