package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A tensor that lies in a file: a view of a range of bytes, as PyTorch stores it. Its numbers are read when asked for.
 * Instances are checked: every element lies inside the range.
 */
final class StoredTensor {
  private static final int MAX_DIMENSIONS = 16;

  private final TensorType type;
  private final long[] shape;
  private final long[] strides;
  private final long offset;
  private final int count;
  private final TensorBytes bytes;

  private StoredTensor(TensorType type, long[] shape, long[] strides, long offset, int count, TensorBytes bytes) {
    this.type = type;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.count = count;
    this.bytes = bytes;
  }

  /** A tensor whose elements follow each other in row-major order and fill the range. */
  static StoredTensor contiguous(TensorType type, long[] shape, TensorBytes bytes) {
    return strided(type, shape, rowMajor(shape, bytes.origin()), 0, bytes);
  }

  /**
   * A strided view.
   *
   * @param strides elements from one index to the next, per dimension
   * @param offset element of the range that index 0 is at
   * @throws CheckpointException if any element lies outside of the range
   */
  static StoredTensor strided(TensorType type, long[] shape, long[] strides, long offset, TensorBytes bytes) {
    String name = bytes.origin();
    if (shape.length != strides.length || shape.length > MAX_DIMENSIONS) {
      throw new CheckpointException(name + ": a tensor of shape " + Arrays.toString(shape) + " has the strides "
          + Arrays.toString(strides) + "; it needs one stride for each of up to " + MAX_DIMENSIONS + " dimensions.");
    }
    long count = 1;
    long last = offset;
    boolean overflow = offset < 0;
    boolean empty = false;
    try {
      for (int d = 0; d < shape.length; d++) {
        overflow |= shape[d] < 0 || strides[d] < 0;
        empty |= shape[d] == 0;
        count = Math.multiplyExact(count, shape[d]);
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[d] - 1), strides[d]));
      }
    } catch (ArithmeticException e) {
      overflow = true;
    }
    long stored = bytes.length() / type.bytes();
    if (overflow || count > Integer.MAX_VALUE - 8 || (empty ? offset > stored : last >= stored)) {
      throw new CheckpointException(name + ": a tensor of shape " + Arrays.toString(shape) + " with strides "
          + Arrays.toString(strides) + " from element " + offset + " reaches beyond the " + stored
          + " elements that are stored.");
    }
    return new StoredTensor(type, shape, strides, offset, (int) count, bytes);
  }

  static long[] rowMajor(long[] shape, String origin) {
    long[] strides = new long[shape.length];
    long step = 1;
    try {
      for (int d = shape.length - 1; d >= 0; d--) {
        strides[d] = step;
        step = Math.multiplyExact(step, Math.max(1, shape[d]));
      }
    } catch (ArithmeticException e) {
      throw new CheckpointException(origin + ": a tensor of shape " + Arrays.toString(shape) + " cannot be stored.");
    }
    return strides;
  }

  TensorType type() {
    return type;
  }

  long[] shape() {
    return shape.clone();
  }

  boolean hasShape(long... wanted) {
    return Arrays.equals(shape, wanted);
  }

  long size(int dimension) {
    return dimension < shape.length ? shape[dimension] : 1;
  }

  int dimensions() {
    return shape.length;
  }

  /** Elements. */
  int count() {
    return count;
  }

  /**
   * The elements in row-major order as 32-bit floats; exact for all but 64-bit ones, which are rounded.
   *
   * @throws CheckpointException if they are no real numbers, or the file is damaged
   */
  float[] floats() {
    if (!type.isReal()) {
      throw new CheckpointException(bytes.origin() + " holds " + type + " elements where weights are real numbers.");
    }
    ByteBuffer all = bytes.readAll();
    float[] out = new float[count];
    if (count == 0) {
      return out;
    }
    if (Arrays.equals(strides, rowMajor(shape, bytes.origin())) && type == TensorType.F32) {
      all.asFloatBuffer().get((int) offset, out);
      return out;
    }
    long[] index = new long[shape.length];
    long at = offset;
    for (int i = 0; i < count; i++) {
      out[i] = element(all, (int) at);
      for (int d = shape.length - 1; d >= 0; d--) {
        at += strides[d];
        if (++index[d] < shape[d]) {
          break;
        }
        at -= strides[d] * shape[d];
        index[d] = 0;
      }
    }
    return out;
  }

  private float element(ByteBuffer all, int at) {
    return switch (type) {
      case F64 -> (float) all.getDouble(at * 8);
      case F32 -> all.getFloat(at * 4);
      case BF16 -> Float.intBitsToFloat(all.getShort(at * 2) << 16);
      default -> half(all.getShort(at * 2));
    };
  }

  /** IEEE 754 binary16 to binary32. */
  static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent + 112;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }

  @Override
  public String toString() {
    return type + Arrays.toString(shape);
  }
}
