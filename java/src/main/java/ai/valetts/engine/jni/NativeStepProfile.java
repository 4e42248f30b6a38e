package ai.valetts.engine.jni;

import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineStateException;
import ai.valetts.engine.ProfileRow;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepProfile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/** A {@code vt_profile}, which its first step begins. */
final class NativeStepProfile implements StepProfile {
  private final NativeTrainingSession session;
  private NativeHandle<CoreBinding.ProfileAnswer> handle;

  NativeStepProfile(NativeTrainingSession session) {
    this.session = session;
  }

  @Override
  public void step(Batch batch, StepParams params) {
    if (handle == null) {
      CoreBinding.ProfileAnswer begun = new CoreBinding.ProfileAnswer();
      session.profile(batch, params, begun);
      handle = new NativeHandle<>("Profile of a training session", begun, CoreBinding::vt_profile_destroy);
    } else {
      handle.call(
          profile -> {
            session.profile(batch, params, profile);
            return null;
          });
    }
  }

  @Override
  public List<ProfileRow> rows() {
    return handle == null ? List.of() : handle.call(NativeStepProfile::rows);
  }

  private static List<ProfileRow> rows(CoreBinding.ProfileAnswer profile) {
    try (CoreBinding.ProfileLine line = new CoreBinding.ProfileLine()) {
      List<ProfileRow> rows = new ArrayList<>();
      long count = CoreBinding.vt_profile_row_count(profile);
      for (long index = 0; index < count; index++) {
        CoreBinding.check(CoreBinding.vt_profile_row_at(profile, index, line));
        rows.add(
            new ProfileRow(
                CoreBinding.text(line.module()),
                line.backward() != 0,
                line.seconds(),
                line.calls(),
                line.operators(),
                line.bytes()));
      }
      return List.copyOf(rows);
    }
  }

  @Override
  public void writeTrace(Path file) {
    if (handle == null) {
      throw new EngineStateException("no step has been profiled yet");
    }
    handle.call(
        profile -> {
          try (BytePointer path = CoreBinding.utf8(file.toAbsolutePath().toString())) {
            CoreBinding.check(CoreBinding.vt_profile_write_trace(profile, path));
            return null;
          }
        });
  }

  @Override
  public void close() {
    if (handle != null) {
      handle.close();
    }
  }
}
