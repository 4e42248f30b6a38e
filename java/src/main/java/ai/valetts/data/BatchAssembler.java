package ai.valetts.data;

import ai.valetts.engine.Batch;
import java.util.ArrayDeque;
import java.util.List;

/**
 * Packs clips into a {@link Batch}, reusing the buffers of batches that were closed. Lengths are padded up to steps, so
 * that few different shapes reach the device. Thread-safe.
 */
public final class BatchAssembler {
  private static final int TOKEN_STEP = 8;

  /** More free buffers than a loader keeps busy would only hold memory. */
  private static final int MAX_POOLED = 8;

  private final ClipAudio audio;
  private final int sampleStep;
  private final Batch.Allocator allocator;
  private final ArrayDeque<Batch.Storage> pool = new ArrayDeque<>();

  public BatchAssembler(ClipAudio audio, int hopLength) {
    this(audio, hopLength, Batch.Allocator.DIRECT);
  }

  /**
   * @param allocator of all buffers
   */
  public BatchAssembler(ClipAudio audio, int hopLength, Batch.Allocator allocator) {
    this.audio = audio;
    this.sampleStep = EpochPlan.FRAME_STEP * hopLength;
    this.allocator = allocator;
  }

  /** What becomes of a clip's samples on their way into a batch. */
  interface Change {
    float[] of(Clip clip, float[] samples);
  }

  /**
   * One batch of the given clips, in their order.
   *
   * @throws DataException if a recording cannot be read
   */
  public Batch assemble(List<Clip> clips) {
    return assemble(clips, (clip, samples) -> samples);
  }

  Batch assemble(List<Clip> clips, Change change) {
    List<float[]> recordings = clips.stream().map(clip -> change.of(clip, audio.samples(clip))).toList();
    int maxTokens = roundUp(clips.stream().mapToInt(clip -> clip.tokenIds().length).max().orElseThrow(), TOKEN_STEP);
    int maxSamples = roundUp(recordings.stream().mapToInt(samples -> samples.length).max().orElseThrow(), sampleStep);
    Batch.Storage storage = take();
    storage.ensure(clips.size(), maxTokens, maxSamples);
    for (int b = 0; b < clips.size(); b++) {
      Clip clip = clips.get(b);
      int[] tokenIds = clip.tokenIds();
      float[] samples = recordings.get(b);
      storage.tokenIds.put(b * maxTokens, tokenIds, 0, tokenIds.length);
      storage.tokenLengths.put(b, tokenIds.length);
      storage.samples.put(b * maxSamples, samples, 0, samples.length);
      storage.sampleLengths.put(b, samples.length);
      storage.peaks.put(b, peak(samples));
      storage.speakerIds.put(b, clip.speakerId());
      storage.utteranceIds.put(b, clip.id());
    }
    List<String> names = clips.stream().map(clip -> clip.speaker() + "/" + clip.name()).toList();
    return new Batch(storage, maxTokens, maxSamples, names, this::giveBack);
  }

  private static float peak(float[] samples) {
    float peak = 0;
    for (float sample : samples) {
      peak = Math.max(peak, Math.abs(sample));
    }
    return peak;
  }

  private static int roundUp(int length, int step) {
    return Math.multiplyExact((length + step - 1) / step, step);
  }

  private Batch.Storage take() {
    synchronized (pool) {
      Batch.Storage free = pool.poll();
      return free == null ? new Batch.Storage(allocator) : free;
    }
  }

  private void giveBack(Batch.Storage storage) {
    synchronized (pool) {
      if (pool.size() < MAX_POOLED) {
        pool.push(storage);
      }
    }
  }
}
