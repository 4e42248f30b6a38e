package ai.valetts.engine;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.OptimizerConfig;

/**
 * Everything the core needs to build its networks.
 *
 * @param vocabularySize symbols the text encoder embeds
 * @param speakerCount speakers; 1 has no embedding
 * @param segmentSamples samples the decoder learns from in each utterance
 * @param threads CPU threads of the process; 0 leaves libtorch's choice
 * @param seed keys initial weights and random draws
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param precision of training steps: {@code fp32}, {@code tf32}, {@code bf16} or {@code fp16}; of a voice from a file:
 *     {@code bf16} where the CPU multiplies it, else float32
 * @param referencePadding whether losses and alignment noise count padding as the public reference does
 */
public record EngineConfig(
    AudioConfig audio,
    ModelConfig model,
    OptimizerConfig optimizer,
    int vocabularySize,
    int speakerCount,
    int segmentSamples,
    int threads,
    long seed,
    String device,
    String precision,
    boolean referencePadding) {}
