package org.maniple.checkpoint.gguf;

/** Names from a file as they appear in messages: short, and without characters that could disturb a terminal or a log. */
final class Shown {

    private static final int LONGEST = 120;

    private Shown() {}

    static String name(String name) {
        String shown = name.length() > LONGEST ? name.substring(0, LONGEST) + "…" : name;
        return shown.replaceAll("\\p{Cntrl}", "?");
    }
}
