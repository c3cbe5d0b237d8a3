package org.maniple.kernel;

/** The entry point of {@code bin/maniple}. */
public final class Main {
    private Main() {}

    /**
     * Runs one command.
     *
     * @param arguments the command and its flags
     */
    public static void main(String[] arguments) {
        System.out.println("maniple " + Main.class.getModule().getDescriptor().rawVersion().orElse("(unpackaged)"));
    }
}
