package org.maniple.api.mesh;

/**
 * A dimension of the mesh of ranks.
 *
 * @param name the word for it in listings, for example {@code tp}
 * @param nesting the larger, the nearer are neighbours along it: ranks that follow each other differ in the dimension with the
 *     largest nesting first. The field's order is dp 100, pp 200, tp 300
 */
public record MeshDimension(String name, int nesting) {

    /** Checks the form of the name. */
    public MeshDimension {
        if (!name.matches("[a-z][a-z0-9]{0,15}")) {
            throw new IllegalArgumentException("mesh dimension [" + name + "] must be lower case");
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
