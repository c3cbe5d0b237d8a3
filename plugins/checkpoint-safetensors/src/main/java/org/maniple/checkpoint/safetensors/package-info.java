/** Reads checkpoints in the safetensors format. */
package org.maniple.checkpoint.safetensors;
