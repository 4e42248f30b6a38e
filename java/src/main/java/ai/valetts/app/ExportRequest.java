package ai.valetts.app;

import java.nio.file.Path;

/**
 * Write a voice for other programs.
 *
 * @param voice run or checkpoint
 * @param output safetensors file; {@code x.config.json} is written beside {@code x.safetensors}
 * @param withUnused also write, as zeros, what the public reference saves but never uses
 * @param discriminators also write {@code x.D.safetensors} and {@code x.DUR.safetensors}
 */
public record ExportRequest(Path voice, Path output, boolean withUnused, boolean discriminators) {}
