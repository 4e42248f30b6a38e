package ai.valetts.data;

import ai.valetts.audio.AudioException;

/**
 * What became of one recording in an {@link AudioStore}.
 *
 * @param file as the caller named it
 * @param bytes size of the source file when it was decoded
 * @param changedNanos its time of change, as {@link FileState} has it
 * @param sha256 of its content; empty where it could not be decoded
 * @param container format of the source file
 * @param shard number of the shard with the samples
 * @param offset first sample in the shard
 * @param samples length, after trimming
 * @param crc32c of the samples' bytes
 * @param trimmedSamples cut off at both ends together
 * @param peak largest magnitude of the source, 0..1
 * @param levelDb level of its speech, in dB below full scale
 * @param offsetRemoved constant offset that was taken away; 0 where it was too small to matter
 * @param clippedShare share of its samples that are cut off at full scale
 * @param fault why it could not be decoded, else null
 * @param failure the same for a person, as the end of a sentence that begins with the file
 */
record RecordingEntry(
    String file,
    long bytes,
    long changedNanos,
    String sha256,
    String container,
    int sourceSampleRateHz,
    int sourceChannels,
    int shard,
    long offset,
    int samples,
    int crc32c,
    int trimmedSamples,
    double peak,
    double levelDb,
    double offsetRemoved,
    double clippedShare,
    AudioException.Fault fault,
    String failure) {

  static RecordingEntry failed(
      String file, long bytes, long changedNanos, AudioException.Fault fault, String failure) {
    return new RecordingEntry(
        file, bytes, changedNanos, "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, fault, failure);
  }

  boolean isDecoded() {
    return fault == null;
  }

  /** The same recording where its samples came to lie. */
  RecordingEntry at(int newShard, long newOffset) {
    return new RecordingEntry(
        file,
        bytes,
        changedNanos,
        sha256,
        container,
        sourceSampleRateHz,
        sourceChannels,
        newShard,
        newOffset,
        samples,
        crc32c,
        trimmedSamples,
        peak,
        levelDb,
        offsetRemoved,
        clippedShare,
        fault,
        failure);
  }

  /** The same samples for a file of equal content. */
  RecordingEntry of(String otherFile, long otherBytes, long otherChangedNanos) {
    return new RecordingEntry(
        otherFile,
        otherBytes,
        otherChangedNanos,
        sha256,
        container,
        sourceSampleRateHz,
        sourceChannels,
        shard,
        offset,
        samples,
        crc32c,
        trimmedSamples,
        peak,
        levelDb,
        offsetRemoved,
        clippedShare,
        fault,
        failure);
  }
}
