package ai.valetts.interchange;

import java.util.Optional;

/** Element types, with their names in safetensors files and in PyTorch's pickles. */
enum TensorType {
  F64(8, "DoubleStorage", true),
  F32(4, "FloatStorage", true),
  F16(2, "HalfStorage", true),
  BF16(2, "BFloat16Storage", true),
  I64(8, "LongStorage", false),
  I32(4, "IntStorage", false),
  I16(2, "ShortStorage", false),
  I8(1, "CharStorage", false),
  U8(1, "ByteStorage", false),
  BOOL(1, "BoolStorage", false);

  private final int bytes;
  private final String torchStorage;
  private final boolean real;

  TensorType(int bytes, String torchStorage, boolean real) {
    this.bytes = bytes;
    this.torchStorage = torchStorage;
    this.real = real;
  }

  /** Bytes of one element. */
  int bytes() {
    return bytes;
  }

  /** Whether it holds real numbers, as weights must. */
  boolean isReal() {
    return real;
  }

  static Optional<TensorType> ofTorchStorage(String name) {
    for (TensorType type : values()) {
      if (type.torchStorage.equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  static Optional<TensorType> ofSafetensors(String name) {
    for (TensorType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
