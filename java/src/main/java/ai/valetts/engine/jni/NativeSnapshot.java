package ai.valetts.engine.jni;

import ai.valetts.engine.Snapshot;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;

/** A {@code vt_snapshot}. */
final class NativeSnapshot implements Snapshot {
  private final NativeHandle<CoreBinding.State> handle;

  /** Takes over the snapshot. */
  NativeSnapshot(CoreBinding.State state) {
    handle = new NativeHandle<>("Snapshot of a training session", state, CoreBinding::vt_snapshot_destroy);
  }

  @Override
  public void write(Path directory) {
    handle.call(
        state -> {
          try (BytePointer path = CoreBinding.utf8(directory.toAbsolutePath().toString())) {
            CoreBinding.check(CoreBinding.vt_snapshot_write(state, path));
            return null;
          }
        });
  }

  @Override
  public void close() {
    handle.close();
  }
}
