package ai.valetts.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One padded batch in direct, native-order buffers that the core borrows for the length of a call. Filled by the loader,
 * used by one thread, and given back to the loader's pool by {@link #close()}.
 *
 * <p>Shapes: B = {@link #size()}, T = {@link #maxTokens()}, N = {@link #maxSamples()}; rows are contiguous and
 * zero-padded.
 */
public final class Batch implements AutoCloseable {
  private static final int TOKEN_STEP = 8;
  private static final int SAMPLE_STEP = 4096;

  private final Storage storage;
  private final Consumer<Storage> release;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final int size;
  private final int maxTokens;
  private final int maxSamples;
  private final List<String> utteranceNames;

  /**
   * @param storage buffers at least as large as the shapes need; {@link Storage#ensure} has been called
   * @param utteranceNames one name per item, for messages
   * @param release receives the storage back on close
   */
  public Batch(
      Storage storage, int maxTokens, int maxSamples, List<String> utteranceNames, Consumer<Storage> release) {
    this.storage = storage;
    this.release = release;
    this.size = utteranceNames.size();
    this.maxTokens = maxTokens;
    this.maxSamples = maxSamples;
    this.utteranceNames = List.copyOf(utteranceNames);
  }

  /** Utterances, B. */
  public int size() {
    return size;
  }

  public int maxTokens() {
    return maxTokens;
  }

  public int maxSamples() {
    return maxSamples;
  }

  public List<String> utteranceNames() {
    return utteranceNames;
  }

  /** The buffers; throws {@link IllegalStateException} after {@link #close()}. */
  public Storage storage() {
    if (closed.get()) {
      throw new IllegalStateException("Batch of " + utteranceNames + " is used after close()");
    }
    return storage;
  }

  /** What the batch holds; frames are counted as {@code floor(samples / hopLength)}. */
  public BatchTotals totals(int hopLength) {
    long frames = 0;
    long tokens = 0;
    for (int i = 0; i < size; i++) {
      frames += storage().sampleLengths.get(i) / hopLength;
      tokens += storage().tokenLengths.get(i);
    }
    return new BatchTotals(size, frames, tokens);
  }

  /**
   * A copy of some utterances, padded no further than they need (rounded up, so that few shapes exist).
   *
   * @param first index of the first
   * @param count at least 1
   * @param into buffers that the copy uses from now on
   */
  public Batch part(int first, int count, Storage into) {
    int longestText = 0;
    int longestAudio = 0;
    for (int i = first; i < first + count; i++) {
      longestText = Math.max(longestText, storage().tokenLengths.get(i));
      longestAudio = Math.max(longestAudio, storage().sampleLengths.get(i));
    }
    int tokens = Math.min(maxTokens, roundedUp(longestText, TOKEN_STEP));
    int samples = Math.min(maxSamples, roundedUp(longestAudio, SAMPLE_STEP));
    into.ensure(count, tokens, samples);
    for (int i = 0; i < count; i++) {
      int from = first + i;
      into.tokenLengths.put(i, storage.tokenLengths.get(from));
      into.sampleLengths.put(i, storage.sampleLengths.get(from));
      into.peaks.put(i, storage.peaks.get(from));
      into.speakerIds.put(i, storage.speakerIds.get(from));
      into.utteranceIds.put(i, storage.utteranceIds.get(from));
      into.tokenIds.put(i * tokens, storage.tokenIds, from * maxTokens, tokens);
      into.samples.put(i * samples, storage.samples, from * maxSamples, samples);
    }
    return new Batch(into, tokens, samples, utteranceNames.subList(first, first + count), storage -> {});
  }

  private static int roundedUp(int value, int step) {
    return (value + step - 1) / step * step;
  }

  /** Seconds of audio in the batch, padding not counted. */
  public double seconds(int sampleRateHz) {
    long samples = 0;
    for (int i = 0; i < size; i++) {
      samples += storage().sampleLengths.get(i);
    }
    return (double) samples / sampleRateHz;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.accept(storage);
    }
  }

  /** Where all memory of batches comes from. Its buffers are freed when nobody holds them any more. */
  public interface Allocator {
    /** Ordinary memory outside Java's heap. */
    Allocator DIRECT = ByteBuffer::allocateDirect;

    /** A direct buffer of so many bytes; its content does not matter. */
    ByteBuffer allocate(int bytes);
  }

  /** Reusable buffers. All positions stay 0; access is by absolute index. */
  public static final class Storage {
    private static final int ZEROS = 1 << 12;
    private static final float[] NO_SOUND = new float[ZEROS];
    private static final int[] NO_TOKENS = new int[ZEROS];

    private final Allocator allocator;

    /** Symbol ids [B,T]. */
    public IntBuffer tokenIds;

    /** Valid symbols [B]. */
    public IntBuffer tokenLengths;

    /** Audio in -1..1 [B,N]. */
    public FloatBuffer samples;

    /** Valid samples [B]. */
    public IntBuffer sampleLengths;

    /** Largest absolute sample [B]; NaN where one is not a number. */
    public FloatBuffer peaks;

    /** Speaker ids [B]. */
    public IntBuffer speakerIds;

    /** Keys of the random draws [B]. */
    public LongBuffer utteranceIds;

    /** Empty buffers in ordinary memory. */
    public Storage() {
      this(Allocator.DIRECT);
    }

    /** Empty buffers; {@link #ensure} takes memory from the allocator. */
    public Storage(Allocator allocator) {
      this.allocator = allocator;
      tokenIds = ints(0);
      tokenLengths = ints(0);
      samples = floats(0);
      sampleLengths = ints(0);
      peaks = floats(0);
      speakerIds = ints(0);
      utteranceIds = longs(0);
    }

    /** Grows the buffers to hold the given shapes and zeroes what a batch of those shapes covers. */
    public void ensure(int size, int maxTokens, int maxSamples) {
      if (tokenLengths.capacity() < size) {
        tokenLengths = ints(size);
        sampleLengths = ints(size);
        peaks = floats(size);
        speakerIds = ints(size);
        utteranceIds = longs(size);
      }
      int tokens = Math.multiplyExact(size, maxTokens);
      if (tokenIds.capacity() < tokens) {
        tokenIds = ints(tokens + tokens / 4);
      }
      int sampleTotal = Math.multiplyExact(size, maxSamples);
      if (samples.capacity() < sampleTotal) {
        samples = floats(sampleTotal + sampleTotal / 4);
      }
      for (int i = 0; i < tokens; i += ZEROS) {
        tokenIds.put(i, NO_TOKENS, 0, Math.min(ZEROS, tokens - i));
      }
      for (int i = 0; i < sampleTotal; i += ZEROS) {
        samples.put(i, NO_SOUND, 0, Math.min(ZEROS, sampleTotal - i));
      }
    }

    private IntBuffer ints(int count) {
      return direct(count, Integer.BYTES).asIntBuffer();
    }

    private FloatBuffer floats(int count) {
      return direct(count, Float.BYTES).asFloatBuffer();
    }

    private LongBuffer longs(int count) {
      return direct(count, Long.BYTES).asLongBuffer();
    }

    private ByteBuffer direct(int count, int width) {
      return allocator.allocate(Math.multiplyExact(count, width)).order(ByteOrder.nativeOrder());
    }
  }
}
