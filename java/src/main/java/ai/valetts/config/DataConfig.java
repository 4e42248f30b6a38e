package ai.valetts.config;

import java.util.List;

/**
 * What to train on and how batches are made. A section that is null is off.
 *
 * @param sources folders or archives of recordings with their texts
 * @param batchSize utterances in a batch; with {@code batchFrames} the most there may be
 * @param batchFrames spectrogram frames in a batch, padding counted; null makes every batch {@code batchSize} long
 * @param bucketFrames ascending upper edges of the length buckets, in spectrogram frames; longer clips are left out and
 *     reported
 * @param minSeconds shorter clips are left out and reported
 * @param maxSeconds longer clips are left out and reported
 * @param trim how silence at both ends is cut off
 * @param checks limits of quality
 * @param balance how evenly speakers and languages are heard; null as they were recorded
 * @param augmentation random changes of the training clips' sound
 * @param validationClips clips held out from training, chosen by a hash of their name so that the choice is stable
 * @param maxBad fraction of unusable rows, 0 to 1, above which a run refuses to start
 * @param decodeThreads background threads that decode audio; 0 chooses by the machine
 * @param prefetchBatches batches kept ready ahead of the step; 0 takes the profile's, else 4
 */
public record DataConfig(
    List<Source> sources,
    int batchSize,
    Integer batchFrames,
    List<Integer> bucketFrames,
    double minSeconds,
    double maxSeconds,
    @Nullable Trim trim,
    @Nullable Checks checks,
    @Nullable Balance balance,
    @Nullable Augmentation augmentation,
    int validationClips,
    double maxBad,
    int decodeThreads,
    int prefetchBatches) {

  DataConfig withSources(List<Source> replaced) {
    return new DataConfig(
        List.copyOf(replaced),
        batchSize,
        batchFrames,
        bucketFrames,
        minSeconds,
        maxSeconds,
        trim,
        checks,
        balance,
        augmentation,
        validationClips,
        maxBad,
        decodeThreads,
        prefetchBatches);
  }

  /** Threads that prepare and load, as configured or one for each processor. */
  public int threads() {
    return decodeThreads > 0 ? decodeThreads : Runtime.getRuntime().availableProcessors();
  }

  /**
   * Recordings with their texts.
   *
   * @param folder path of a folder or of an archive (.tar, .tar.gz, .tgz, .tar.bz2, .zip)
   * @param speaker speaker of rows that name none; null takes the folder's name
   * @param language espeak-ng voice of rows that name none, or null for {@code text.language}
   * @param format one of {@link #FORMATS}; null is {@code auto}
   * @param metadata file that lists the recordings, relative to the folder; null looks for the format's usual ones
   * @param columns where the format {@code table} finds what; null with every other format
   */
  public record Source(
      String folder,
      @Nullable String speaker,
      @Nullable String language,
      @Nullable String format,
      @Nullable String metadata,
      @Nullable Columns columns) {

    /** Accepted values of {@code format}. */
    public static final List<String> FORMATS =
        List.of("auto", "ljspeech", "vctk", "common_voice", "piper", "vits", "coqui", "valetts", "table");

    /** A source whose format is found out. */
    public Source(String folder, String speaker, String language) {
      this(folder, speaker, language, null, null, null);
    }
  }

  /**
   * Names of a table's columns (or keys of its JSON lines); numbers from 1 where the table has no header.
   *
   * @param audio path of the recording
   * @param text what is said
   * @param speaker speaker, or null
   * @param language language, or null
   * @param name what to call the clip, or null for the recording's path
   * @param delimiter one character, or null to tell from the file
   */
  public record Columns(
      String audio,
      String text,
      @Nullable String speaker,
      @Nullable String language,
      @Nullable String name,
      @Nullable String delimiter) {}

  /**
   * How silence is cut off both ends of every recording.
   *
   * @param silenceDb how far below the clip's loudest 10 ms silence begins, in dB
   * @param marginSeconds silence left at each end
   */
  public record Trim(double silenceDb, double marginSeconds) {}

  /**
   * Clips beyond these limits cannot be used. A limit that is null is not checked.
   *
   * @param minLevelDb least level of the speech (root mean square of its louder 10 ms), in dB below full scale
   * @param maxClippedShare largest share of samples that are cut off at full scale
   * @param minSoundsPerSecond fewest sounds (phonemes or letters) in a second
   * @param maxSoundsPerSecond most sounds in a second
   */
  public record Checks(
      Double minLevelDb,
      Double maxClippedShare,
      Double minSoundsPerSecond,
      Double maxSoundsPerSecond) {}

  /**
   * How evenly speakers and languages are heard: 0 as they were recorded, 1 all alike, between by a power of their share.
   */
  public record Balance(double speakers, double languages) {}

  /**
   * Random changes of the training clips' sound, drawn anew for each batch. What is null does not change.
   *
   * @param gainDb largest change of loudness to either side, in dB
   * @param pitchSemitones largest change of pitch to either side
   * @param tempoShare largest change of tempo to either side, as a share
   * @param noiseDb level of the loudest white noise below the clip's own, in dB
   */
  public record Augmentation(Double gainDb, Double pitchSemitones, Double tempoShare, Double noiseDb) {}
}
