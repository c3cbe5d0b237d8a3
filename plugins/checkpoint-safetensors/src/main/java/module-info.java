import org.jspecify.annotations.NullMarked;

/** Reads checkpoints in the safetensors format. */
@NullMarked module org.maniple.checkpoint.safetensors {
    requires org.maniple.api;
    requires static org.jspecify;
    requires tools.jackson.core;

    provides org.maniple.api.checkpoint.CheckpointFormat with org.maniple.checkpoint.safetensors.SafetensorsFormat;
}
