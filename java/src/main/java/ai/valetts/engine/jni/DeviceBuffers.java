package ai.valetts.engine.jni;

import ai.valetts.engine.Batch;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;

/** Memory of the core for batches. A buffer is freed when neither it nor a view of it can be reached any more. */
final class DeviceBuffers implements Batch.Allocator {
  private static final Cleaner CLEANER = Cleaner.create();

  private final String device;

  DeviceBuffers(String device) {
    this.device = device;
  }

  @Override
  public ByteBuffer allocate(int bytes) {
    CoreBinding.HostMemory memory = new CoreBinding.HostMemory();
    try (BytePointer name = CoreBinding.utf8(device)) {
      // Never empty: an empty block has no address.
      CoreBinding.check(CoreBinding.vt_buffer_create(name, Math.max(bytes, 1), memory));
    }
    BytePointer address = CoreBinding.vt_buffer_address(memory).capacity(bytes);
    ByteBuffer buffer = address.asByteBuffer();
    CLEANER.register(buffer, () -> CoreBinding.vt_buffer_destroy(memory));
    return buffer;
  }
}
