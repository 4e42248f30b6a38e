package ai.valetts.training;

import ai.valetts.config.SynthesisConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Evaluation;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.ValidationCompleted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Measures the held-out clips, looks at some of them and speaks some sentences. Changes nothing in the session, so a
 * run trains the same whether it validates or not. Used by the loop's thread.
 */
public final class Validator {
  private final TrainingSession session;
  private final HeldOut heldOut;
  private final Settings settings;
  private final LongSupplier nanoTime;

  /**
   * What a validation does.
   *
   * @param audioClips held-out clips to listen to and look at
   * @param sentences to synthesize
   * @param scales of the synthesis
   * @param sampleRateHz of all audio
   * @param segmentFrames of the decoder's training segment: so much is cut out of the middle to be looked at closely
   * @param seed of the synthesis' noise
   * @param constantMelL1 mel L1 of the best constant spectrum on the held-out clips, NaN if unknown: a model that is no
   *     better has learnt nothing
   */
  public record Settings(
      int audioClips,
      List<Sentence> sentences,
      SynthesisConfig scales,
      int sampleRateHz,
      int segmentFrames,
      long seed,
      double constantMelL1) {}

  /**
   * @param nanoTime {@code System::nanoTime} outside of tests
   */
  public Validator(TrainingSession session, HeldOut heldOut, Settings settings, LongSupplier nanoTime) {
    this.session = session;
    this.heldOut = heldOut;
    this.settings = settings;
    this.nanoTime = nanoTime;
  }

  /** A guess at how many training steps one validation takes, for use before the first was measured. */
  double costInSteps() {
    int looks = Math.min(settings.audioClips(), heldOut.clipCount());
    return 2.0 * heldOut.batchCount() + 0.5 * (looks + settings.sentences().size());
  }

  /**
   * @param cancelled asked between clips; a validation that is cut short has no result
   */
  Optional<ValidationCompleted> run(long step, BooleanSupplier cancelled) {
    long start = nanoTime.getAsLong();
    Evaluation sum = Evaluation.ZERO;
    for (int i = 0; i < heldOut.batchCount(); i++) {
      if (cancelled.getAsBoolean()) {
        return Optional.empty();
      }
      try (Batch batch = heldOut.batch(i)) {
        sum = sum.plus(session.evaluate(batch));
      }
    }
    List<AudioSample> audio = new ArrayList<>();
    List<HeatMap> images = new ArrayList<>();
    for (int i = 0; i < Math.min(settings.audioClips(), heldOut.clipCount()); i++) {
      if (cancelled.getAsBoolean()) {
        return Optional.empty();
      }
      look(i, audio, images);
    }
    if (!speak(audio, cancelled)) {
      return Optional.empty();
    }
    double seconds = (nanoTime.getAsLong() - start) / 1e9;
    return Optional.of(new ValidationCompleted(step, scalars(sum), audio, images, seconds));
  }

  private Map<String, Double> scalars(Evaluation sum) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    if (sum.melCount() > 0) {
      scalars.put("val/mel_l1", sum.melL1());
      if (!Double.isNaN(settings.constantMelL1())) {
        scalars.put("val/mel_ratio", sum.melL1() / settings.constantMelL1());
      }
      scalars.put("val/kl", sum.kl());
      scalars.put("val/duration_error", sum.durationError());
    }
    return scalars;
  }

  private void look(int clip, List<AudioSample> audio, List<HeatMap> images) {
    String suffix = clip == 0 ? "" : "_" + clip;
    try (Batch batch = heldOut.clip(clip)) {
      Inspection inspection = session.inspect(batch);
      float[] recording = new float[batch.storage().sampleLengths.get(0)];
      for (int i = 0; i < recording.length; i++) {
        recording[i] = batch.storage().samples.get(i);
      }
      String text = heldOut.text(clip);
      audio.add(new AudioSample("gt/audio" + suffix, recording, settings.sampleRateHz(), text));
      audio.add(new AudioSample("gen/audio" + suffix, inspection.decodedSamples(), settings.sampleRateHz(), text));
      images.add(heatMap("gt/mel" + suffix, inspection.recordingMel()));
      images.add(heatMap("gen/mel" + suffix, inspection.decodedMel()));
      images.add(heatMap("all/mel" + suffix, inspection.recordingMel()));
      images.add(slice("slice/mel_org" + suffix, inspection.recordingMel()));
      images.add(slice("slice/mel_gen" + suffix, inspection.decodedMel()));
      byte[] alignment = inspection.alignment();
      float[] values = new float[alignment.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = alignment[i];
      }
      int frames = inspection.tokens() == 0 ? 0 : alignment.length / inspection.tokens();
      images.add(new HeatMap("all/attn" + suffix, inspection.tokens(), frames, values));
    }
  }

  /** A segment from the middle, as long as those the decoder learns from. */
  private HeatMap slice(String tag, Spectrogram whole) {
    int frames = Math.min(settings.segmentFrames(), whole.frames());
    int first = (whole.frames() - frames) / 2;
    float[] values = new float[whole.bins() * frames];
    for (int bin = 0; bin < whole.bins(); bin++) {
      System.arraycopy(whole.values(), bin * whole.frames() + first, values, bin * frames, frames);
    }
    return new HeatMap(tag, whole.bins(), frames, values);
  }

  private static HeatMap heatMap(String tag, Spectrogram spectrogram) {
    return new HeatMap(tag, spectrogram.bins(), spectrogram.frames(), spectrogram.values());
  }

  private boolean speak(List<AudioSample> audio, BooleanSupplier cancelled) {
    if (settings.sentences().isEmpty()) {
      return true;
    }
    SynthesisConfig scales = settings.scales();
    try (Voice voice = session.voice()) {
      for (Sentence sentence : settings.sentences()) {
        if (cancelled.getAsBoolean()) {
          return false;
        }
        float[] samples =
            voice.synthesize(
                new Utterance(
                    sentence.tokenIds(),
                    sentence.speakerId(),
                    scales.noiseScale(),
                    scales.durationNoiseScale(),
                    scales.lengthScale(),
                    settings.seed()));
        String tag = "sample/" + sentence.speaker() + "/" + sentence.index();
        audio.add(new AudioSample(tag, samples, settings.sampleRateHz(), sentence.text()));
      }
    }
    return true;
  }
}
