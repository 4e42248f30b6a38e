package ai.valetts.app;

import java.nio.file.Path;
import java.util.List;

/**
 * Speak lines with a trained voice.
 *
 * @param voice run folder (newest checkpoint that verifies) or checkpoint folder
 * @param lines what to say and where to write it
 * @param speaker speaker name; null when the voice has one speaker
 * @param language espeak-ng voice; null takes the speaker's language in the voice's configuration
 * @param noiseScale null takes {@code synthesis.noiseScale}
 * @param durationNoiseScale null takes {@code synthesis.durationNoiseScale}
 * @param lengthScale null takes {@code synthesis.lengthScale}; larger speaks slower
 * @param seed same seed, same audio
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param threads CPU threads; 0 takes the machine's
 * @param precision {@code fp32}, or {@code bf16}: on a CPU that multiplies it the decoder rounds to it, with noise at least
 *     35 dB below the voice; meant for AMX, without which {@code fp32} is faster
 */
public record SynthRequest(
    Path voice,
    List<Line> lines,
    String speaker,
    String language,
    Float noiseScale,
    Float durationNoiseScale,
    Float lengthScale,
    long seed,
    String device,
    int threads,
    String precision) {
  public SynthRequest {
    lines = List.copyOf(lines);
  }

  /** In float32. */
  public SynthRequest(
      Path voice,
      List<Line> lines,
      String speaker,
      String language,
      Float noiseScale,
      Float durationNoiseScale,
      Float lengthScale,
      long seed,
      String device,
      int threads) {
    this(voice, lines, speaker, language, noiseScale, durationNoiseScale, lengthScale, seed, device, threads, "fp32");
  }

  /**
   * One sentence.
   *
   * @param text what to say
   * @param output WAV file to write; its folder is created if missing
   */
  public record Line(String text, Path output) {}
}
