package org.maniple.kernel.plan;

import org.maniple.api.mesh.Mesh;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.program.MeshProgram;

/** Makes the program that a unit with some settings would run. */
@FunctionalInterface
public interface LayoutCompiler {

    /**
     * Compiles a model for a mesh.
     *
     * @param settings the settings of a candidate
     * @param mesh its ranks
     * @return what they do
     * @throws org.maniple.kernel.config.ConfigurationException if the settings contradict the model
     * @throws org.maniple.kernel.program.CompileException if the model cannot be spread so
     * @throws org.maniple.api.mesh.SplitException if an axis cannot be split so
     */
    MeshProgram compile(EffectiveSettings settings, Mesh mesh);
}
