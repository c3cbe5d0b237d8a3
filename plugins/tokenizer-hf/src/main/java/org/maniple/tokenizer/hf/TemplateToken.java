package org.maniple.tokenizer.hf;

/**
 * A token of a template.
 *
 * @param kind what it is
 * @param text text between tags, a name, an operator, the value of a string or the digits of a number
 * @param line the line it begins on, from 1
 */
record TemplateToken(Kind kind, String text, int line) {

    enum Kind {
        DATA("template data"), VARIABLE_BEGIN("begin of print statement"), VARIABLE_END("end of print statement"), BLOCK_BEGIN(
                "begin of statement block"),
        BLOCK_END("end of statement block"), NAME("name"), STRING("string"), INTEGER("integer"), FLOAT(
                "float"),
        OPERATOR("operator"), END("end of template");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    boolean is(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    String describe() {
        return kind == Kind.OPERATOR || kind == Kind.NAME ? text : kind.words;
    }
}
