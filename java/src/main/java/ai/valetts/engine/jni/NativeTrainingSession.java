package ai.valetts.engine.jni;

import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.Evaluation;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.InvalidEngineArgumentException;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.Snapshot;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.StepProfile;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Voice;
import java.lang.ref.Reference;
import java.nio.Buffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;

/** A {@code vt_session}. Calls are serialised; batches cross by address and are not kept. */
final class NativeTrainingSession implements TrainingSession {
  /** Waveform discriminators: the length of the header's per-discriminator arrays. */
  static final int DISCRIMINATORS = 6;

  /** Steps whose metrics may wait to be read. */
  static final int UNREAD_STEPS = 128;

  static final int LOAD_STATE = 0;
  static final int LOAD_WEIGHTS = 1;

  private final NativeHandle<CoreBinding.Session> handle;
  private final AudioConfig audio;

  /** Takes over the session. */
  NativeTrainingSession(CoreBinding.Session session, EngineConfig config) {
    handle = new NativeHandle<>("Training session", session, CoreBinding::vt_session_destroy);
    audio = config.audio();
  }

  @Override
  public void accumulate(StepPhase phase, Batch microBatch, StepParams params) {
    handle.call(
        session -> {
          try (BatchLoan loan = new BatchLoan(microBatch);
              CoreBinding.StepSettings settings = settings(params)) {
            CoreBinding.check(
                CoreBinding.vt_session_accumulate(session, phase.ordinal(), loan.view, settings));
            return null;
          }
        });
  }

  @Override
  public StepMetrics apply(StepPhase phase, StepParams params) {
    return handle.call(
        session -> {
          try (CoreBinding.StepSettings settings = settings(params);
              CoreBinding.Metrics metrics = new CoreBinding.Metrics()) {
            CoreBinding.check(CoreBinding.vt_session_apply(session, phase.ordinal(), settings, metrics));
            return metrics(metrics);
          }
        });
  }

  @Override
  public void applyUnread(StepPhase phase, StepParams params) {
    handle.call(
        session -> {
          try (CoreBinding.StepSettings settings = settings(params)) {
            CoreBinding.check(CoreBinding.vt_session_apply(session, phase.ordinal(), settings, null));
            return null;
          }
        });
  }

  @Override
  public List<StepMetrics> readMetrics() {
    return handle.call(
        session -> {
          try (CoreBinding.Metrics metrics = new CoreBinding.Metrics(UNREAD_STEPS);
              LongPointer count = new LongPointer(1)) {
            CoreBinding.check(CoreBinding.vt_session_read_metrics(session, UNREAD_STEPS, metrics, count));
            List<StepMetrics> read = new ArrayList<>();
            for (long i = 0; i < count.get(); i++) {
              read.add(metrics(metrics.position(i)));
            }
            return List.copyOf(read);
          }
        });
  }

  @Override
  public void prefetch(Batch next) {
    handle.call(
        session -> {
          try (BatchLoan loan = new BatchLoan(next)) {
            CoreBinding.check(CoreBinding.vt_session_prefetch(session, loan.view));
            return null;
          }
        });
  }

  @Override
  public void discard() {
    handle.call(
        session -> {
          CoreBinding.check(CoreBinding.vt_session_discard(session));
          return null;
        });
  }

  @Override
  public StepProfile profile() {
    return new NativeStepProfile(this);
  }

  /** Adds a step to a profile, or begins one where {@code profile} holds none. */
  void profile(Batch batch, StepParams params, CoreBinding.ProfileAnswer profile) {
    handle.call(
        session -> {
          try (BatchLoan loan = new BatchLoan(batch);
              CoreBinding.StepSettings settings = settings(params)) {
            CoreBinding.check(CoreBinding.vt_session_profile(session, loan.view, settings, profile));
            return null;
          }
        });
  }

  private static CoreBinding.StepSettings settings(StepParams params) {
    return new CoreBinding.StepSettings()
        .step(params.step())
        .learning_rate_generator(params.generatorLearningRate())
        .learning_rate_discriminator(params.discriminatorLearningRate())
        .learning_rate_duration_discriminator(params.durationDiscriminatorLearningRate())
        .mel_weight(params.melWeight())
        .kl_weight(params.klWeight())
        .gradient_limit(params.gradientLimit())
        .loss_scale_limit(params.lossScaleLimit())
        .batch_items(params.totals().items())
        .batch_frames(params.totals().frames())
        .batch_tokens(params.totals().tokens());
  }

  @Override
  public Evaluation evaluate(Batch batch) {
    return handle.call(
        session -> {
          try (BatchLoan loan = new BatchLoan(batch);
              CoreBinding.EvaluationSums sums = new CoreBinding.EvaluationSums()) {
            CoreBinding.check(CoreBinding.vt_session_evaluate(session, loan.view, sums));
            return new Evaluation(
                sums.mel_l1_sum(),
                sums.mel_count(),
                sums.kl_sum(),
                sums.frames(),
                sums.duration_error_sum(),
                sums.tokens());
          }
        });
  }

  @Override
  public Inspection inspect(Batch batch) {
    int maxFrames = batch.maxSamples() / audio.hopLength();
    long melCapacity = (long) audio.melBins() * maxFrames;
    long alignmentCapacity = (long) batch.maxTokens() * maxFrames;
    return handle.call(
        session -> {
          try (BatchLoan loan = new BatchLoan(batch);
              FloatPointer recording = new FloatPointer(melCapacity);
              FloatPointer decoded = new FloatPointer(melCapacity);
              BytePointer alignment = new BytePointer(alignmentCapacity);
              FloatPointer samples = new FloatPointer((long) batch.maxSamples());
              CoreBinding.InspectionBuffers buffers = new CoreBinding.InspectionBuffers()) {
            buffers
                .mel_recording_MS(recording)
                .mel_decoded_MS(decoded)
                .mel_capacity(melCapacity)
                .alignment_TS(alignment)
                .alignment_capacity(alignmentCapacity)
                .decoded_N(samples)
                .decoded_capacity(batch.maxSamples());
            CoreBinding.check(CoreBinding.vt_session_inspect(session, loan.view, buffers));
            int frames = buffers.frames();
            byte[] cells = new byte[buffers.tokens() * frames];
            alignment.get(cells);
            return new Inspection(
                new Spectrogram(audio.melBins(), frames, floats(recording, audio.melBins() * frames)),
                new Spectrogram(audio.melBins(), frames, floats(decoded, audio.melBins() * frames)),
                buffers.tokens(),
                cells,
                floats(samples, buffers.samples()));
          }
        });
  }

  @Override
  public ModelDescription describe() {
    return handle.call(
        session -> {
          try (CoreBinding.Description facts = new CoreBinding.Description()) {
            CoreBinding.check(CoreBinding.vt_session_describe(session, facts));
            return new ModelDescription(
                facts.parameters_text_encoder(),
                facts.parameters_posterior_encoder(),
                facts.parameters_flow(),
                facts.parameters_decoder(),
                facts.parameters_duration_predictor(),
                facts.parameters_speaker_embedding(),
                facts.parameters_generator(),
                facts.parameters_dead(),
                facts.parameters_discriminator(),
                facts.parameters_duration_discriminator(),
                facts.process_resident_bytes(),
                facts.process_peak_bytes(),
                facts.device_allocated_bytes(),
                facts.device_peak_bytes(),
                facts.device_free_bytes(),
                facts.device_total_bytes(),
                facts.recorded_kernels(),
                CoreBinding.text(facts.device()));
          }
        });
  }

  @Override
  public Snapshot snapshot() {
    return handle.call(
        session -> {
          CoreBinding.State state = new CoreBinding.State();
          CoreBinding.check(CoreBinding.vt_session_snapshot(session, state));
          return new NativeSnapshot(state);
        });
  }

  @Override
  public void load(Path directory) {
    load(directory, LOAD_STATE);
  }

  @Override
  public void loadWeights(Path directory) {
    load(directory, LOAD_WEIGHTS);
  }

  private void load(Path directory, int what) {
    handle.call(
        session -> {
          try (BytePointer path = CoreBinding.utf8(directory.toAbsolutePath().toString())) {
            CoreBinding.check(CoreBinding.vt_session_load(session, path, what));
            return null;
          }
        });
  }

  @Override
  public Voice voice() {
    return handle.call(
        session -> {
          CoreBinding.Speech voice = new CoreBinding.Speech();
          CoreBinding.check(CoreBinding.vt_session_voice(session, voice));
          return new NativeVoice("Voice of a training session", voice);
        });
  }

  @Override
  public void close() {
    handle.close();
  }

  private static StepMetrics metrics(CoreBinding.Metrics from) {
    return new StepMetrics(
        from.step(),
        from.loss_generator_total(),
        from.loss_generator_adversarial(),
        from.loss_feature_matching(),
        from.loss_mel(),
        from.loss_kl(),
        from.loss_duration(),
        from.loss_duration_adversarial(),
        from.loss_discriminator(),
        from.loss_duration_discriminator(),
        perDiscriminator(from::loss_generator_parts),
        perDiscriminator(from::loss_discriminator_real_parts),
        perDiscriminator(from::loss_discriminator_generated_parts),
        from.mel_l1(),
        from.gradient_norm_generator(),
        from.gradient_norm_discriminator(),
        from.gradient_norm_duration_discriminator(),
        from.frames(),
        from.tokens(),
        from.loss_scale(),
        from.skipped_generator() != 0,
        from.skipped_discriminator() != 0,
        from.skipped_duration_discriminator() != 0);
  }

  private static float[] perDiscriminator(IntFunction<Float> part) {
    float[] parts = new float[DISCRIMINATORS];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = part.apply(i);
    }
    return parts;
  }

  private static float[] floats(FloatPointer from, int count) {
    float[] values = new float[count];
    from.get(values);
    return values;
  }

  /** A batch as the core sees it, for the length of one call: addresses, no copies. */
  private static final class BatchLoan implements AutoCloseable {
    private final Batch.Storage storage;
    private final CoreBinding.BatchView view = new CoreBinding.BatchView();

    BatchLoan(Batch batch) {
      storage = batch.storage();
      int size = batch.size();
      long tokens = (long) size * batch.maxTokens();
      long samples = (long) size * batch.maxSamples();
      view.batch_size(size).max_tokens(batch.maxTokens()).max_samples(batch.maxSamples());
      require("tokenIds", storage.tokenIds, storage.tokenIds.order(), tokens);
      require("tokenLengths", storage.tokenLengths, storage.tokenLengths.order(), size);
      require("samples", storage.samples, storage.samples.order(), samples);
      require("sampleLengths", storage.sampleLengths, storage.sampleLengths.order(), size);
      require("speakerIds", storage.speakerIds, storage.speakerIds.order(), size);
      require("utteranceIds", storage.utteranceIds, storage.utteranceIds.order(), size);
      // These pointers own nothing: they carry the addresses of the direct buffers, which `storage` keeps alive.
      view.token_ids_BT(new IntPointer(storage.tokenIds))
          .token_lengths_B(new IntPointer(storage.tokenLengths))
          .samples_BN(new FloatPointer(storage.samples))
          .sample_lengths_B(new IntPointer(storage.sampleLengths))
          .speaker_ids_B(new IntPointer(storage.speakerIds))
          .utterance_ids_B(new LongPointer(storage.utteranceIds));
    }

    private void require(String name, Buffer buffer, ByteOrder order, long count) {
      if (!buffer.isDirect() || order != ByteOrder.nativeOrder() || buffer.capacity() < count) {
        view.close();
        throw new InvalidEngineArgumentException(
            "Batch." + name + " must be a direct buffer in native order with at least " + count + " elements, has "
                + buffer.capacity());
      }
    }

    @Override
    public void close() {
      view.close();
      Reference.reachabilityFence(storage);
    }
  }
}
