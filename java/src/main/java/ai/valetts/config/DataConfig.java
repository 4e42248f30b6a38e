package ai.valetts.config;

import java.util.List;

/**
 * What to train on and how batches are made.
 *
 * @param sources LJSpeech-style folders, one per speaker
 * @param batchSize utterances in a batch
 * @param bucketFrames ascending upper edges of the length buckets, in spectrogram frames; longer clips are left out and
 *     reported
 * @param minSeconds shorter clips are left out and reported
 * @param maxSeconds longer clips are left out and reported
 * @param validationClips clips held out from training, chosen by a hash of their name so that the choice is stable
 * @param maxBad fraction of unusable rows, 0 to 1, above which a run refuses to start
 * @param decodeThreads background threads that decode audio; 0 chooses by the machine
 * @param prefetchBatches batches kept ready ahead of the step
 */
public record DataConfig(
    List<Source> sources,
    int batchSize,
    List<Integer> bucketFrames,
    double minSeconds,
    double maxSeconds,
    int validationClips,
    double maxBad,
    int decodeThreads,
    int prefetchBatches) {

  DataConfig withSources(List<Source> replaced) {
    return new DataConfig(
        List.copyOf(replaced),
        batchSize,
        bucketFrames,
        minSeconds,
        maxSeconds,
        validationClips,
        maxBad,
        decodeThreads,
        prefetchBatches);
  }

  /** The same data with another tolerance of unusable rows. */
  public DataConfig withMaxBad(double fraction) {
    return new DataConfig(
        sources,
        batchSize,
        bucketFrames,
        minSeconds,
        maxSeconds,
        validationClips,
        fraction,
        decodeThreads,
        prefetchBatches);
  }

  /**
   * One LJSpeech-style folder: {@code metadata.csv} with lines {@code id|text} or {@code id|text|normalized text}, and
   * the recordings under {@code wavs/}.
   *
   * @param folder path of the folder
   * @param speaker speaker name
   * @param language espeak-ng voice, or null for {@code text.language}
   */
  public record Source(String folder, String speaker, @Nullable String language) {}
}
