package ai.valetts.engine.jni;

import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineStatus;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.ByPtrPtr;
import org.bytedeco.javacpp.annotation.ByRef;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.CriticalRegion;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.MemberSetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Opaque;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * {@code native/include/valetts/valetts.h} in Java, name for name: JavaCPP generates the glue from this class and CMake
 * compiles it, so that a field or function the header does not have fails the build. A test holds the other direction.
 *
 * <p>Every struct made with {@code new} is closed in try-with-resources by its user; nothing here is freed by the garbage
 * collector. The three handle types own nothing and need no close: {@link NativeHandle} does that. Fields that only Java reads have a getter, fields that only Java writes have a setter.
 *
 * <p>{@link NativeLibraries#load} must have succeeded before the first use.
 */
@Platform(include = "valetts/valetts.h", library = "jnivaletts")
@NoException
final class CoreBinding {
  private CoreBinding() {}

  /**
   * The one place where a status becomes an exception.
   *
   * @throws EngineException of the status' type, with the core's message, unless it is {@code VT_OK}
   */
  static void check(int status) {
    if (status != EngineStatus.OK.code()) {
      throw EngineException.of(EngineStatus.of(status), text(vt_last_error()));
    }
  }

  /** A NUL-terminated UTF-8 string of the core. */
  static String text(BytePointer pointer) {
    return pointer == null ? "" : pointer.getString(StandardCharsets.UTF_8);
  }

  /** A NUL-terminated UTF-8 copy for the core; the caller closes it. */
  static BytePointer utf8(String text) {
    return new BytePointer(text, StandardCharsets.UTF_8);
  }

  // Functions, in the header's order.

  static native @Cast("const char*") BytePointer vt_last_error();

  static native int vt_system_query(SystemFacts system);

  static native int vt_session_config_init(SessionSettings config);

  static native int vt_session_create(@Const SessionSettings config, @ByPtrPtr Session session);

  static native void vt_session_destroy(Session session);

  static native int vt_session_accumulate(
      Session session, int phase, @Const BatchView batch, @Const StepSettings params);

  static native int vt_session_prefetch(Session session, @Const BatchView batch);

  static native int vt_session_apply(Session session, int phase, @Const StepSettings params, Metrics metrics);

  static native int vt_session_read_metrics(
      Session session, long capacity, Metrics metrics, @Cast("int64_t*") LongPointer count);

  static native int vt_session_discard(Session session);

  static native int vt_session_evaluate(Session session, @Const BatchView batch, EvaluationSums evaluation);

  static native int vt_session_inspect(Session session, @Const BatchView batch, InspectionBuffers inspection);

  static native int vt_session_describe(Session session, Description description);

  static native int vt_session_profile(
      Session session, @Const BatchView batch, @Const StepSettings params, @ByPtrPtr ProfileAnswer profile);

  static native @Cast("int64_t") long vt_profile_row_count(@Const ProfileAnswer profile);

  static native int vt_profile_row_at(@Const ProfileAnswer profile, @Cast("int64_t") long index, ProfileLine row);

  static native int vt_profile_write_trace(@Const ProfileAnswer profile, @Cast("const char*") BytePointer file);

  static native void vt_profile_destroy(ProfileAnswer profile);

  static native int vt_session_snapshot(Session session, @ByPtrPtr State snapshot);

  static native int vt_snapshot_write(State snapshot, @Cast("const char*") BytePointer directory);

  static native void vt_snapshot_destroy(State snapshot);

  static native int vt_session_load(Session session, @Cast("const char*") BytePointer directory, int what);

  static native int vt_buffer_create(
      @Cast("const char*") BytePointer device, long bytes, @ByPtrPtr HostMemory buffer);

  static native @Cast("signed char*") BytePointer vt_buffer_address(HostMemory buffer);

  static native void vt_buffer_destroy(HostMemory buffer);

  static native int vt_session_voice(Session session, @ByPtrPtr Speech voice);

  static native int vt_voice_open(
      @Const SessionSettings config, @Cast("const char*") BytePointer generatorFile, @ByPtrPtr Speech voice);

  static native int vt_voice_synthesize(Speech voice, @Const UtteranceView utterance, @ByPtrPtr Audio audio);

  static native int vt_voice_convert(Speech voice, @Const ConversionView conversion, @ByPtrPtr Audio audio);

  static native void vt_voice_destroy(Speech voice);

  static native @Cast("int64_t") long vt_audio_sample_count(@Const Audio audio);

  // Writes straight into the array: a plain copy of memory that takes no lock and never waits.
  @CriticalRegion
  static native int vt_audio_copy(@Const Audio audio, float[] samples, @Cast("int64_t") long capacity);

  static native void vt_audio_destroy(Audio audio);

  static native int vt_spectrogram(
      @Const AudioSettings config,
      int kind,
      @Const float[] samples,
      @Cast("int64_t") long sampleCount,
      float[] values,
      @Cast("int64_t") long capacity,
      int[] frames);

  static native int vt_parity_check(@Const ParityQuestion request, @ByPtrPtr ParityAnswer report);

  static native @Cast("int64_t") long vt_parity_row_count(@Const ParityAnswer report);

  static native int vt_parity_row_at(@Const ParityAnswer report, @Cast("int64_t") long index, ParityLine row);

  static native void vt_parity_destroy(ParityAnswer report);

  // Handles.

  /** {@code vt_session*}. */
  @Opaque
  @Name("vt_session")
  static final class Session extends Pointer {
    Session() {
      super((Pointer) null);
    }
  }

  /** {@code vt_profile*}. */
  @Opaque
  @Name("vt_profile")
  static final class ProfileAnswer extends Pointer {
    ProfileAnswer() {
      super((Pointer) null);
    }
  }

  /** {@code vt_snapshot*}. */
  @Opaque
  @Name("vt_snapshot")
  static final class State extends Pointer {
    State() {
      super((Pointer) null);
    }
  }

  /** {@code vt_buffer*}. */
  @Opaque
  @Name("vt_buffer")
  static final class HostMemory extends Pointer {
    HostMemory() {
      super((Pointer) null);
    }
  }

  /** {@code vt_voice*}. */
  @Opaque
  @Name("vt_voice")
  static final class Speech extends Pointer {
    Speech() {
      super((Pointer) null);
    }
  }

  /** {@code vt_audio*}. */
  @Opaque
  @Name("vt_audio")
  static final class Audio extends Pointer {
    Audio() {
      super((Pointer) null);
    }
  }

  /** {@code vt_parity_report*}. */
  @Opaque
  @Name("vt_parity_report")
  static final class ParityAnswer extends Pointer {
    ParityAnswer() {
      super((Pointer) null);
    }
  }

  // Structs.

  /** {@code vt_audio_config}. */
  @Name("vt_audio_config")
  static final class AudioSettings extends Pointer {
    AudioSettings() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native AudioSettings sample_rate_hz(int value);

    @MemberSetter
    native AudioSettings fft_size(int value);

    @MemberSetter
    native AudioSettings hop_length(int value);

    @MemberSetter
    native AudioSettings win_length(int value);

    @MemberSetter
    native AudioSettings mel_bins(int value);

    @MemberSetter
    native AudioSettings mel_min_hz(float value);

    @MemberSetter
    native AudioSettings mel_max_hz(float value);
  }

  /** {@code vt_model_config}. */
  @Name("vt_model_config")
  static final class ModelSettings extends Pointer {
    ModelSettings() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native ModelSettings vocabulary_size(int value);

    @MemberSetter
    native ModelSettings speaker_count(int value);

    @MemberSetter
    native ModelSettings speaker_channels(int value);

    @MemberSetter
    native ModelSettings posterior_input(int value);

    @MemberSetter
    native ModelSettings inter_channels(int value);

    @MemberSetter
    native ModelSettings hidden_channels(int value);

    @MemberSetter
    native ModelSettings filter_channels(int value);

    @MemberSetter
    native ModelSettings attention_heads(int value);

    @MemberSetter
    native ModelSettings encoder_layers(int value);

    @MemberSetter
    native ModelSettings encoder_kernel_size(int value);

    @MemberSetter
    native ModelSettings dropout(float value);

    @MemberSetter
    native ModelSettings speaker_conditioned_encoder(int value);

    @MemberSetter
    native ModelSettings posterior_layers(int value);

    @MemberSetter
    native ModelSettings flow_kind(int value);

    @MemberSetter
    native ModelSettings flow_couplings(int value);

    @MemberSetter
    native ModelSettings flow_layers(int value);

    @MemberSetter
    native ModelSettings stochastic_duration_predictor(int value);

    @MemberSetter
    native ModelSettings duration_discriminator(int value);

    @MemberSetter
    native ModelSettings noise_scaled_alignment(int value);

    @MemberSetter
    native ModelSettings decoder_kind(int value);

    @MemberSetter
    native ModelSettings resblock_kind(int value);

    @MemberSetter
    native ModelSettings resblock_kernel_count(int value);

    @MemberSetter
    native ModelSettings resblock_kernel_sizes(int index, int value);

    @MemberSetter
    native ModelSettings resblock_dilation_count(int value);

    @MemberSetter
    native ModelSettings resblock_dilations(int index, int value);

    @MemberSetter
    native ModelSettings upsample_count(int value);

    @MemberSetter
    native ModelSettings upsample_rates(int index, int value);

    @MemberSetter
    native ModelSettings upsample_kernel_sizes(int index, int value);

    @MemberSetter
    native ModelSettings upsample_initial_channels(int value);

    @MemberSetter
    native ModelSettings discriminator_width_divisor(int value);
  }

  /** {@code vt_optimizer_config}. */
  @Name("vt_optimizer_config")
  static final class OptimizerSettings extends Pointer {
    OptimizerSettings() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native OptimizerSettings beta1(double value);

    @MemberSetter
    native OptimizerSettings beta2(double value);

    @MemberSetter
    native OptimizerSettings epsilon(double value);

    @MemberSetter
    native OptimizerSettings weight_decay(double value);

    @MemberSetter
    native OptimizerSettings average_decay(double value);
  }

  /** {@code vt_session_config}. */
  @Name("vt_session_config")
  static final class SessionSettings extends Pointer {
    SessionSettings() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native @ByRef AudioSettings audio();

    @MemberGetter
    native @ByRef ModelSettings model();

    @MemberGetter
    native @ByRef OptimizerSettings optimizer();

    @MemberSetter
    native SessionSettings segment_samples(int value);

    @MemberSetter
    native SessionSettings threads(int value);

    @MemberSetter
    native SessionSettings seed(long value);

    @MemberSetter
    native SessionSettings device(@Cast("const char*") BytePointer value);

    @MemberSetter
    native SessionSettings precision(int value);

    @MemberSetter
    native SessionSettings reference_padding(int value);
  }

  /** {@code vt_batch}. */
  @Name("vt_batch")
  static final class BatchView extends Pointer {
    BatchView() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native BatchView batch_size(int value);

    @MemberSetter
    native BatchView max_tokens(int value);

    @MemberSetter
    native BatchView max_samples(int value);

    @MemberSetter
    native BatchView token_ids_BT(@Cast("const int32_t*") IntPointer value);

    @MemberSetter
    native BatchView token_lengths_B(@Cast("const int32_t*") IntPointer value);

    @MemberSetter
    native BatchView samples_BN(@Cast("const float*") FloatPointer value);

    @MemberSetter
    native BatchView sample_lengths_B(@Cast("const int32_t*") IntPointer value);

    @MemberSetter
    native BatchView speaker_ids_B(@Cast("const int32_t*") IntPointer value);

    @MemberSetter
    native BatchView utterance_ids_B(@Cast("const int64_t*") LongPointer value);
  }

  /** {@code vt_step_params}. */
  @Name("vt_step_params")
  static final class StepSettings extends Pointer {
    StepSettings() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native StepSettings step(long value);

    @MemberSetter
    native StepSettings learning_rate_generator(double value);

    @MemberSetter
    native StepSettings learning_rate_discriminator(double value);

    @MemberSetter
    native StepSettings learning_rate_duration_discriminator(double value);

    @MemberSetter
    native StepSettings mel_weight(double value);

    @MemberSetter
    native StepSettings kl_weight(double value);

    @MemberSetter
    native StepSettings gradient_limit(double value);

    @MemberSetter
    native StepSettings loss_scale_limit(double value);

    @MemberSetter
    native StepSettings batch_items(long value);

    @MemberSetter
    native StepSettings batch_frames(long value);

    @MemberSetter
    native StepSettings batch_tokens(long value);
  }

  /** {@code vt_step_metrics}. */
  @Name("vt_step_metrics")
  static final class Metrics extends Pointer {
    Metrics() {
      super((Pointer) null);
      allocate();
    }

    /** So many in a row; {@code position} chooses one. */
    Metrics(long count) {
      super((Pointer) null);
      allocateArray(count);
    }

    private native void allocate();

    private native void allocateArray(long count);

    @MemberGetter
    native long step();

    @MemberGetter
    native float loss_generator_total();

    @MemberGetter
    native float loss_generator_adversarial();

    @MemberGetter
    native float loss_feature_matching();

    @MemberGetter
    native float loss_mel();

    @MemberGetter
    native float loss_kl();

    @MemberGetter
    native float loss_duration();

    @MemberGetter
    native float loss_duration_adversarial();

    @MemberGetter
    native float loss_discriminator();

    @MemberGetter
    native float loss_duration_discriminator();

    @MemberGetter
    native float loss_generator_parts(int index);

    @MemberGetter
    native float loss_discriminator_real_parts(int index);

    @MemberGetter
    native float loss_discriminator_generated_parts(int index);

    @MemberGetter
    native float mel_l1();

    @MemberGetter
    native float gradient_norm_generator();

    @MemberGetter
    native float gradient_norm_discriminator();

    @MemberGetter
    native float gradient_norm_duration_discriminator();

    @MemberGetter
    native long frames();

    @MemberGetter
    native long tokens();

    @MemberGetter
    native float loss_scale();

    @MemberGetter
    native int skipped_generator();

    @MemberGetter
    native int skipped_discriminator();

    @MemberGetter
    native int skipped_duration_discriminator();
  }

  /** {@code vt_evaluation}. */
  @Name("vt_evaluation")
  static final class EvaluationSums extends Pointer {
    EvaluationSums() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native double mel_l1_sum();

    @MemberGetter
    native long mel_count();

    @MemberGetter
    native double kl_sum();

    @MemberGetter
    native long frames();

    @MemberGetter
    native double duration_error_sum();

    @MemberGetter
    native long tokens();
  }

  /** {@code vt_inspection}. */
  @Name("vt_inspection")
  static final class InspectionBuffers extends Pointer {
    InspectionBuffers() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native InspectionBuffers mel_recording_MS(@Cast("float*") FloatPointer value);

    @MemberSetter
    native InspectionBuffers mel_decoded_MS(@Cast("float*") FloatPointer value);

    @MemberSetter
    native InspectionBuffers mel_capacity(long value);

    @MemberSetter
    native InspectionBuffers alignment_TS(@Cast("uint8_t*") BytePointer value);

    @MemberSetter
    native InspectionBuffers alignment_capacity(long value);

    @MemberSetter
    native InspectionBuffers decoded_N(@Cast("float*") FloatPointer value);

    @MemberSetter
    native InspectionBuffers decoded_capacity(long value);

    @MemberGetter
    native int frames();

    @MemberGetter
    native int tokens();

    @MemberGetter
    native int samples();
  }

  /** {@code vt_utterance}. */
  @Name("vt_utterance")
  static final class UtteranceView extends Pointer {
    UtteranceView() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native UtteranceView token_ids(@Cast("const int32_t*") IntPointer value);

    @MemberSetter
    native UtteranceView token_count(int value);

    @MemberSetter
    native UtteranceView speaker_id(int value);

    @MemberSetter
    native UtteranceView noise_scale(float value);

    @MemberSetter
    native UtteranceView duration_noise_scale(float value);

    @MemberSetter
    native UtteranceView length_scale(float value);

    @MemberSetter
    native UtteranceView seed(long value);
  }

  /** {@code vt_conversion}. */
  @Name("vt_conversion")
  static final class ConversionView extends Pointer {
    ConversionView() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native ConversionView samples_N(@Cast("const float*") FloatPointer value);

    @MemberSetter
    native ConversionView sample_count(int value);

    @MemberSetter
    native ConversionView source_speaker_id(int value);

    @MemberSetter
    native ConversionView target_speaker_id(int value);

    @MemberSetter
    native ConversionView seed(long value);
  }

  /** {@code vt_description}. */
  @Name("vt_description")
  static final class Description extends Pointer {
    Description() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native long parameters_text_encoder();

    @MemberGetter
    native long parameters_posterior_encoder();

    @MemberGetter
    native long parameters_flow();

    @MemberGetter
    native long parameters_decoder();

    @MemberGetter
    native long parameters_duration_predictor();

    @MemberGetter
    native long parameters_speaker_embedding();

    @MemberGetter
    native long parameters_generator();

    @MemberGetter
    native long parameters_dead();

    @MemberGetter
    native long parameters_discriminator();

    @MemberGetter
    native long parameters_duration_discriminator();

    @MemberGetter
    native long process_resident_bytes();

    @MemberGetter
    native long process_peak_bytes();

    @MemberGetter
    native long device_allocated_bytes();

    @MemberGetter
    native long device_peak_bytes();

    @MemberGetter
    native long device_free_bytes();

    @MemberGetter
    native long device_total_bytes();

    @MemberGetter
    native long recorded_kernels();

    @MemberGetter
    native @Cast("const char*") BytePointer device();
  }

  /** {@code vt_system}. */
  @Name("vt_system")
  static final class SystemFacts extends Pointer {
    SystemFacts() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native @Cast("const char*") BytePointer core_version();

    @MemberGetter
    native @Cast("const char*") BytePointer libtorch_version();

    @MemberGetter
    native @Cast("const char*") BytePointer cpu_capability();

    @MemberGetter
    native @Cast("const char*") BytePointer cuda_devices();

    @MemberGetter
    native int cuda_built();

    @MemberGetter
    native int cuda_device_count();

    @MemberGetter
    native int threads();
  }

  /** {@code vt_parity_request}. */
  @Name("vt_parity_request")
  static final class ParityQuestion extends Pointer {
    ParityQuestion() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberSetter
    native ParityQuestion folder_utf8(@Cast("const char*") BytePointer value);

    @MemberSetter
    native ParityQuestion set(@Cast("const char*") BytePointer value);

    @MemberSetter
    native ParityQuestion device(@Cast("const char*") BytePointer value);

    @MemberSetter
    native ParityQuestion precision(int value);

    @MemberSetter
    native ParityQuestion plain_path(int value);

    @MemberSetter
    native ParityQuestion threads(int value);
  }

  /** {@code vt_profile_row}. */
  @Name("vt_profile_row")
  static final class ProfileLine extends Pointer {
    ProfileLine() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native @Cast("const char*") BytePointer module();

    @MemberGetter
    native int backward();

    @MemberGetter
    native double seconds();

    @MemberGetter
    native @Cast("int64_t") long calls();

    @MemberGetter
    native @Cast("int64_t") long operators();

    @MemberGetter
    native @Cast("int64_t") long bytes();
  }

  /** {@code vt_parity_row}. */
  @Name("vt_parity_row")
  static final class ParityLine extends Pointer {
    ParityLine() {
      super((Pointer) null);
      allocate();
    }

    private native void allocate();

    @MemberGetter
    native @Cast("const char*") BytePointer tensor();

    @MemberGetter
    native int kind();

    @MemberGetter
    native double error();

    @MemberGetter
    native double error_limit();

    @MemberGetter
    native int passed();
  }
}
