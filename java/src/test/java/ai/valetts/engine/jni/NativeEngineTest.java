package ai.valetts.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.Fixtures;
import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.InvalidEngineArgumentException;
import ai.valetts.engine.ParityCheck;
import ai.valetts.engine.ParityRow;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import com.sun.jna.Function;
import com.sun.jna.Structure;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Opaque;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The border itself: what crosses it, how it fails, and what it leaves behind. */
@Tag("native")
class NativeEngineTest {
  private static final StepParams STEP = new StepParams(0, 2e-4, 2e-4, 2e-4, 45, 1, 0, 0, BatchTotals.OWN);

  private static NativeEngine engine;

  @TempDir Path folder;

  @BeforeAll
  static void open() {
    engine = NativeEngine.open(Path.of(System.getProperty("java.io.tmpdir"), "valetts-border-test"));
  }

  @Test
  void structsHaveTheSizesOfTheHeader() throws ReflectiveOperationException {
    CoreHeader header = CoreHeader.read();
    for (Class<?> type : CoreBinding.class.getDeclaredClasses()) {
      if (!type.isAnnotationPresent(Opaque.class)) {
        String name = type.getAnnotation(Name.class).value()[0];
        int size = Loader.sizeof(type.asSubclass(Pointer.class));
        assertThat(size).as(name).isEqualTo(header.sizeOf(name));
      }
    }
  }

  @Test
  void saysWhatItIsBuiltWith() {
    assertThat(engine.system().coreVersion()).isNotBlank();
    assertThat(engine.system().libtorchVersion()).isNotBlank();
    assertThat(engine.system().threads()).isPositive();
  }

  @Test
  void threadsThatWaitDoNotSpinUnlessAsked() {
    String policy = Function.getFunction("c", "getenv").invokeString(new Object[] {"OMP_WAIT_POLICY"}, false);
    String asked = System.getenv("OMP_WAIT_POLICY");
    assertThat(policy).isEqualTo(asked == null ? "PASSIVE" : asked);
  }

  @Test
  void aBatchInTheCoresMemoryAndAPartOfABatchAreReadLikeAnyOther() {
    try (TrainingSession one = engine.createSession(ToyVoice.config());
        TrainingSession other = engine.createSession(ToyVoice.config());
        Batch batch = ToyVoice.batch()) {
      Batch.Storage storage = new Batch.Storage(engine.batchMemory("cpu"));
      try (Batch copy = batch.part(0, batch.size(), storage)) {
        assertThat(storage.samples.isDirect()).isTrue();
        StepMetrics expected = one.step(batch, STEP);
        StepMetrics metrics = other.step(copy, STEP);
        assertThat(metrics.kl()).isEqualTo(expected.kl(), within(1e-4f));
        assertThat(metrics.mel()).isEqualTo(expected.mel(), within(1e-3f));
      }
    }
  }

  @Test
  void metricsThatWaitAreThoseReadAtOnceAndComeInTheOrderOfTheirSteps() {
    try (TrainingSession one = engine.createSession(ToyVoice.config());
        TrainingSession other = engine.createSession(ToyVoice.config());
        Batch batch = ToyVoice.batch()) {
      List<StepMetrics> expected = new ArrayList<>();
      for (long step = 0; step < 3; step++) {
        StepParams params = new StepParams(step, 2e-4, 2e-4, 2e-4, 45, 1, 0, 0, batch.totals(ToyVoice.HOP));
        expected.add(one.step(batch, params));
        for (StepPhase phase : StepPhase.values()) {
          other.accumulate(phase, batch, params);
          other.applyUnread(phase, params);
        }
      }
      assertThat(one.readMetrics()).isEmpty();
      assertThat(other.readMetrics()).usingRecursiveFieldByFieldElementComparator().isEqualTo(expected);
      assertThat(expected).extracting(StepMetrics::step).containsExactly(0L, 1L, 2L);
      assertThat(other.readMetrics()).isEmpty();
    }
  }

  @Test
  void stepsEvaluatesAndLooksInside() {
    try (TrainingSession session = engine.createSession(ToyVoice.config());
        Batch batch = ToyVoice.batch()) {
      StepMetrics metrics = session.step(batch, STEP.over(batch.totals(ToyVoice.config().audio().hopLength())));
      assertThat(metrics.frames()).isEqualTo(96 + 48);
      assertThat(metrics.tokens()).isEqualTo(9 + 5);
      assertThat(metrics.generatorParts()).hasSize(6);
      assertThat(metrics.melL1()).isFinite().isPositive();
      assertThat(session.evaluate(batch).frames()).isEqualTo(96 + 48);
      Inspection inspection = session.inspect(batch);
      assertThat(inspection.tokens()).isEqualTo(9);
      assertThat(inspection.recordingMel().frames()).isEqualTo(96);
      assertThat(inspection.alignment()).hasSize(9 * 96);
      assertThat(inspection.decodedSamples()).hasSize(96 * ToyVoice.HOP);
      assertThat(session.describe().device()).isEqualTo("cpu");
      assertThat(session.describe().generatorParameters()).isPositive();
    }
  }

  @Test
  void aPeriodicDecoderTrainsAndSpeaksWithItsOwnParameters() throws IOException {
    EngineConfig config = ToyVoice.config("fp32", "bigvgan");
    long rectified;
    try (TrainingSession session = engine.createSession(ToyVoice.config())) {
      rectified = session.describe().generatorParameters();
    }
    try (TrainingSession session = engine.createSession(config);
        Batch batch = ToyVoice.batch()) {
      // Two for each channel, before each of the two convolutions of both blocks (8 and 4 channels) and before the last.
      assertThat(session.describe().generatorParameters()).isEqualTo(rectified + 2 * (2 * 8 + 2 * 4 + 4));
      assertThat(session.step(batch, STEP).generatorTotal()).isFinite();
      session.save(folder);
    }
    try (Voice voice = engine.openVoice(config, folder.resolve("generator.safetensors"))) {
      float[] audio = voice.synthesize(new Utterance(new int[] {1, 2, 3}, 0, 0.6f, 0.8f, 1, 1));
      assertThat(audio.length).isPositive();
      for (float sample : audio) {
        assertThat(sample).isBetween(-1f, 1f);
      }
    }
    Path weights = folder.resolve("generator.safetensors");
    assertThatThrownBy(() -> engine.openVoice(ToyVoice.config("fp32", "melgan"), weights))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("model.decoder is 'melgan', must be one of hifigan, bigvgan");
  }

  @Test
  void reducedPrecisionTrainsAndItsLossScaleIsSaved() throws IOException {
    for (String precision : List.of("bf16", "fp16")) {
      EngineConfig config = ToyVoice.config(precision);
      Path weights = Files.createDirectory(folder.resolve(precision));
      StepMetrics next;
      try (TrainingSession session = engine.createSession(config);
          Batch batch = ToyVoice.batch()) {
        StepMetrics first = session.step(batch, STEP);
        assertThat(first.generatorTotal()).isFinite();
        assertThat(first.lossScale()).isEqualTo(precision.equals("fp16") ? 65536f : 1f);
        session.save(weights);
        next = session.step(batch, new StepParams(1, 2e-4, 2e-4, 2e-4, 45, 1, 0, 0, BatchTotals.OWN));
      }
      assertThat(Files.exists(weights.resolve("loss_scale.safetensors"))).isEqualTo(precision.equals("fp16"));
      try (TrainingSession resumed = engine.createSession(config);
          Batch batch = ToyVoice.batch()) {
        resumed.load(weights);
        StepMetrics again = resumed.step(batch, new StepParams(1, 2e-4, 2e-4, 2e-4, 45, 1, 0, 0, BatchTotals.OWN));
        assertThat(again.generatorTotal()).isEqualTo(next.generatorTotal());
        assertThat(again.lossScale()).isEqualTo(next.lossScale());
      }
    }
  }

  @Test
  void aPrecisionTheDeviceLacksIsRefused() {
    assertThatThrownBy(() -> engine.createSession(ToyVoice.config("tf32")))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("tf32");
    assertThatThrownBy(() -> engine.createSession(ToyVoice.config("fp8")))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("training.precision");
  }

  @Test
  void equalsTheReferencesSpectrograms() {
    Path recorded = Fixtures.file("stft.safetensors");
    List<ParityRow> rows =
        engine.checkParity(new ParityCheck(recorded.getParent(), "stft", "cpu", "fp32", false, 1));
    assertThat(rows).extracting(ParityRow::tensor).contains("mel", "linear", "grad_wav");
    assertThat(rows).allSatisfy(row -> assertThat(row.passed()).as(row.toString()).isTrue());
    assertThat(rows).anySatisfy(row -> assertThat(row.error()).isPositive());
    assertThatThrownBy(() -> engine.checkParity(new ParityCheck(recorded.getParent(), "vocos", "cpu", "fp32", false, 1)))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("'vocos'");
  }

  @Test
  void aVoiceOutlivesItsSession() {
    TrainingSession session = engine.createSession(ToyVoice.config());
    try (Voice voice = session.voice()) {
      session.close();
      float[] audio = voice.synthesize(new Utterance(new int[] {1, 2, 3}, 0, 0.667f, 0.8f, 1f, 5));
      assertThat(audio.length).isPositive();
      assertThat(audio.length % ToyVoice.HOP).isZero();
    }
  }

  @Test
  void savedWeightsComeBackAndSpeakTheSame() {
    Utterance utterance = new Utterance(new int[] {1, 2, 3, 4}, 0, 0.667f, 0.8f, 1f, 5);
    EngineConfig config = ToyVoice.config();
    try (TrainingSession session = engine.createSession(config);
        Batch batch = ToyVoice.batch();
        Voice voice = session.voice()) {
      session.step(batch, STEP);
      session.save(folder);
      try (Voice opened = engine.openVoice(config, folder.resolve("generator.safetensors"))) {
        assertThat(opened.synthesize(utterance)).isEqualTo(voice.synthesize(utterance));
      }
      session.load(folder);
    }
  }

  @Test
  void aRefusedValueNamesItsField() {
    EngineConfig toy = ToyVoice.config();
    AudioConfig audio = new AudioConfig(8000, 256, 100, 256, 20, 0f, 0f);
    EngineConfig wrong =
        new EngineConfig(audio, toy.model(), toy.optimizer(), 12, 1, 3200, 1, 1234, "cpu", "fp32", false);
    assertThatThrownBy(() -> engine.createSession(wrong))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("hop_length")
        .hasMessageContaining("upsample_rates");
  }

  @Test
  void aDeviceThatIsNotThereIsRefused() {
    EngineConfig toy = ToyVoice.config();
    EngineConfig wrong =
        new EngineConfig(toy.audio(), toy.model(), toy.optimizer(), 12, 1, toy.segmentSamples(), 1, 1, "cuda:63", "fp32", false);
    assertThatThrownBy(() -> engine.createSession(wrong))
        .isInstanceOf(InvalidEngineArgumentException.class)
        .hasMessageContaining("cuda");
  }

  @Test
  void aMissingCheckpointIsNamed() {
    Path missing = folder.resolve("nowhere é");
    try (TrainingSession session = engine.createSession(ToyVoice.config())) {
      assertThatThrownBy(() -> session.load(missing))
          .isInstanceOf(EngineIoException.class)
          .hasMessageContaining("nowhere é");
      assertThatThrownBy(() -> engine.openVoice(ToyVoice.config(), missing))
          .isInstanceOf(EngineIoException.class)
          .hasMessageContaining("nowhere é");
    }
  }

  @Test
  void aBatchThatLiesAboutItsLengthsIsRefused() {
    try (TrainingSession session = engine.createSession(ToyVoice.config());
        Batch batch = ToyVoice.batch()) {
      batch.storage().tokenLengths.put(0, 10_000);
      assertThatThrownBy(() -> session.step(batch, STEP))
          .isInstanceOf(InvalidEngineArgumentException.class)
          .hasMessageContaining("token_lengths");
    }
  }

  @Test
  void buffersOfTheJavaHeapAreRefused() {
    try (TrainingSession session = engine.createSession(ToyVoice.config());
        Batch batch = ToyVoice.batch()) {
      batch.storage().samples = FloatBuffer.allocate(batch.storage().samples.capacity());
      assertThatThrownBy(() -> session.step(batch, STEP))
          .isInstanceOf(InvalidEngineArgumentException.class)
          .hasMessageContaining("Batch.samples must be a direct buffer");
    }
  }

  @Test
  void anEmptySentenceIsRefused() {
    try (TrainingSession session = engine.createSession(ToyVoice.config());
        Voice voice = session.voice()) {
      assertThatThrownBy(() -> voice.synthesize(new Utterance(new int[0], 0, 0.667f, 0.8f, 1f, 5)))
          .isInstanceOf(InvalidEngineArgumentException.class)
          .hasMessageContaining("token_count");
    }
  }

  @Test
  void useAfterCloseIsRefused() {
    TrainingSession session = engine.createSession(ToyVoice.config());
    Voice voice = session.voice();
    session.close();
    session.close();
    voice.close();
    voice.close();
    assertThatThrownBy(session::describe)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Training session is used after close()");
    assertThatThrownBy(() -> voice.synthesize(new Utterance(new int[] {1}, 0, 0.667f, 0.8f, 1f, 5)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Voice");
  }

  @Test
  void nullIsToleratedWhereTheHeaderSaysSoAndRefusedElsewhere() {
    CoreBinding.vt_session_destroy(null);
    CoreBinding.vt_voice_destroy(null);
    CoreBinding.vt_snapshot_destroy(null);
    CoreBinding.vt_buffer_destroy(null);
    CoreBinding.vt_audio_destroy(null);
    assertThat(CoreBinding.vt_last_error()).isNotNull();
    List<Runnable> calls =
        List.of(
            () -> CoreBinding.check(CoreBinding.vt_system_query(null)),
            () -> CoreBinding.check(CoreBinding.vt_session_config_init(null)),
            () -> CoreBinding.check(CoreBinding.vt_session_create(null, null)),
            () -> CoreBinding.check(CoreBinding.vt_session_accumulate(null, 0, null, null)),
            () -> CoreBinding.check(CoreBinding.vt_session_apply(null, 0, null, null)),
            () -> CoreBinding.check(CoreBinding.vt_session_discard(null)),
            () -> CoreBinding.check(CoreBinding.vt_session_snapshot(null, null)),
            () -> CoreBinding.check(CoreBinding.vt_snapshot_write(null, null)),
            () -> CoreBinding.check(CoreBinding.vt_buffer_create(null, 8, null)),
            () -> CoreBinding.check(CoreBinding.vt_session_describe(null, null)),
            () -> CoreBinding.check(CoreBinding.vt_voice_synthesize(null, null, null)),
            () -> CoreBinding.check(CoreBinding.vt_audio_copy(null, null, 0)),
            () -> CoreBinding.check(CoreBinding.vt_parity_check(null, null)),
            () -> CoreBinding.check(CoreBinding.vt_parity_row_at(null, 0, null)),
            () -> CoreBinding.check(CoreBinding.vt_spectrogram(null, 0, null, 0, null, 0, null)));
    for (Runnable call : calls) {
      assertThatThrownBy(call::run).isInstanceOf(InvalidEngineArgumentException.class).hasMessageContaining("NULL");
    }
  }

  @Test
  void tenThousandVoicesAndFailuresLeaveNothingBehind() {
    long leakedBefore = NativeHandle.leaked();
    long openBefore = NativeHandle.open();
    try (TrainingSession session = engine.createSession(ToyVoice.config())) {
      assertThat(medianGrowth(() -> createAndFail(session, 10_000))).isLessThan(500_000);
    }
    assertThat(NativeHandle.leaked()).isEqualTo(leakedBefore);
    assertThat(NativeHandle.open()).isEqualTo(openBefore);
  }

  @Test
  void aHundredSessionsLeaveNothingBehind() {
    Runnable hundred =
        () -> {
          for (int i = 0; i < 100; i++) {
            engine.createSession(ToyVoice.config()).close();
          }
        };
    assertThat(medianGrowth(hundred)).isLessThan(500_000);
  }

  /**
   * Bytes that one run of the action adds: the median of five, since Java's own compiler takes and returns megabytes now
   * and then, while a leak is there every time.
   */
  private static long medianGrowth(Runnable action) {
    long[] growth = new long[5];
    for (int i = 0; i < growth.length; i++) {
      long before = bytesInUse();
      action.run();
      growth[i] = bytesInUse() - before;
    }
    Arrays.sort(growth);
    return growth[growth.length / 2];
  }

  /** Native memory handed out and not given back; the resident size would count Java's growing heap as well. */
  private static long bytesInUse() {
    MallocInformation information =
        (MallocInformation) Function.getFunction("c", "mallinfo2").invoke(MallocInformation.class, new Object[0]);
    return information.fields[7] + information.fields[4];
  }

  /** {@code struct mallinfo2} of glibc: [7] is {@code uordblks}, in use; [4] is {@code hblkhd}, in large blocks. */
  @Structure.FieldOrder("fields")
  public static final class MallocInformation extends Structure implements Structure.ByValue {
    public long[] fields = new long[10];
  }

  private static void createAndFail(TrainingSession session, int times) {
    Utterance empty = new Utterance(new int[0], 0, 0.667f, 0.8f, 1f, 5);
    for (int i = 0; i < times; i++) {
      try (Voice voice = session.voice()) {
        assertThatThrownBy(() -> voice.synthesize(empty)).isInstanceOf(InvalidEngineArgumentException.class);
      }
    }
  }
}
