package ai.valetts.app;

import ai.valetts.audio.WavWriter;
import ai.valetts.config.ConfigException;
import ai.valetts.config.SynthesisConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import ai.valetts.evaluation.RecordingProfile;
import ai.valetts.evaluation.SpeechAnalysis;
import ai.valetts.evaluation.SpeechLikeness;
import ai.valetts.text.EncodedText;
import ai.valetts.text.TextException;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.Words;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Speaks lines with a saved voice. Where the voice lies in its run, each file is also held against the recordings of
 * its speaker, and the findings go to the run's {@code evaluation.json}.
 */
final class Synthesis {
  private static final double PAUSE_SECONDS = 0.25;

  private final Engine engine;
  private final Consumer<String> notice;

  Synthesis(Engine engine, Consumer<String> notice) {
    this.engine = engine;
    this.notice = notice;
  }

  /** One line as audio. */
  private record Speech(float[] samples, String phonemes, int phonemeCount, Set<String> unknownSymbols) {}

  SynthResult run(SynthRequest request) {
    SavedVoice saved = SavedVoice.open(request.voice(), notice);
    ValettsConfig config = saved.config();
    String speaker = speaker(saved, request.speaker());
    String language = request.language() == null
        ? TrainRun.languageOf(config, saved.speakers(), speaker)
        : request.language();
    EngineConfig engineConfig =
        EngineConfigs.of(
            config, saved.symbols().size(), saved.speakers().size(), request.threads(), request.device(),
            request.precision());
    List<SynthResult.Spoken> spoken = new ArrayList<>();
    Optional<RecordingProfile> profile = profile(saved, speaker);
    Map<String, Object> findings = new LinkedHashMap<>();
    try (TextFrontEnd frontEnd = VoiceReading.open(saved, notice);
        Voice voice = engine.openVoice(engineConfig, saved.checkpoint().voiceWeights())) {
      for (SynthRequest.Line line : request.lines()) {
        long start = System.nanoTime();
        Speech speech = speak(line.text(), language, saved.speakers().idOf(speaker), request, config, frontEnd, voice);
        write(line.output(), speech.samples(), config.audio().sampleRateHz());
        double seconds = (double) speech.samples().length / config.audio().sampleRateHz();
        double took = (System.nanoTime() - start) / 1e9;
        spoken.add(
            new SynthResult.Spoken(
                line.output(), seconds, took, speech.phonemes(), List.copyOf(speech.unknownSymbols())));
        profile.ifPresent(recordings ->
            findings.put(
                line.output().toAbsolutePath().toString(), judge(line, speech, recordings, speaker, config)));
      }
    }
    saved.run().filter(run -> !findings.isEmpty()).ifPresent(run -> keep(run, findings));
    return new SynthResult(speaker, saved.checkpoint().directory(), spoken);
  }

  static String speaker(SavedVoice saved, String requested) {
    List<String> names = saved.speakers().names();
    if (requested == null && names.size() > 1) {
      throw new ConfigException(
          "--speaker", List.of("the voice has several, choose one of " + String.join(", ", names)));
    }
    String speaker = requested == null ? names.get(0) : requested;
    if (!names.contains(speaker)) {
      throw new ConfigException(
          "--speaker", List.of("the voice has no speaker \"" + speaker + "\"; it has " + String.join(", ", names)));
    }
    return speaker;
  }

  private Speech speak(
      String text,
      String language,
      int speakerId,
      SynthRequest request,
      ValettsConfig config,
      TextFrontEnd frontEnd,
      Voice voice) {
    SynthesisConfig scales = config.synthesis();
    List<float[]> pieces = new ArrayList<>();
    List<String> phonemes = new ArrayList<>();
    Set<String> unknown = new LinkedHashSet<>();
    int phonemeCount = 0;
    // Written out first: "Sr. Lima" and "14.30" hold no end of a sentence.
    Words words = frontEnd.words(text, language);
    if (!words.removed().isEmpty()) {
      notice.accept("left out, since it has no reading: " + String.join(" ", words.removed()));
    }
    for (String sentence : Sentences.split(words.text(), language, part ->
        read(part, language, frontEnd).ids().length <= config.text().maxSymbols())) {
      EncodedText encoded = read(sentence, language, frontEnd);
      unknown.addAll(encoded.unknownSymbols());
      if (encoded.phonemeCount() == 0) {
        continue;
      }
      phonemes.add(encoded.phonemes());
      phonemeCount += encoded.phonemeCount();
      pieces.add(
          voice.synthesize(
              new Utterance(
                  encoded.ids(),
                  speakerId,
                  orElse(request.noiseScale(), scales.noiseScale()),
                  orElse(request.durationNoiseScale(), scales.durationNoiseScale()),
                  orElse(request.lengthScale(), scales.lengthScale()),
                  request.seed() + pieces.size())));
    }
    if (pieces.isEmpty()) {
      throw new TextException("there is nothing in \"" + text + "\" that this voice can say"
          + (unknown.isEmpty() ? "" : "; it does not know " + String.join(" ", unknown)));
    }
    int pause = (int) (PAUSE_SECONDS * config.audio().sampleRateHz());
    return new Speech(join(pieces, pause), String.join(" ", phonemes), phonemeCount, unknown);
  }

  private static EncodedText read(String words, String language, TextFrontEnd frontEnd) {
    return frontEnd.read(new Words(words, List.of()), language);
  }

  private static float orElse(Float requested, float configured) {
    return requested == null ? configured : requested;
  }

  private static float[] join(List<float[]> pieces, int pauseSamples) {
    int total = pieces.stream().mapToInt(piece -> piece.length).sum() + pauseSamples * (pieces.size() - 1);
    float[] joined = new float[total];
    int place = 0;
    for (float[] piece : pieces) {
      System.arraycopy(piece, 0, joined, place, piece.length);
      place += piece.length + pauseSamples;
    }
    return joined;
  }

  private static void write(Path file, float[] samples, int sampleRateHz) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      Files.createDirectories(parent);
      WavWriter.write(file, samples, sampleRateHz);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<RecordingProfile> profile(SavedVoice saved, String speaker) {
    Optional<Path> file = saved.run().map(RunDirectory::recordings).filter(Files::isRegularFile);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try {
      Map<String, RecordingProfile> profiles =
          new ObjectMapper().readValue(file.get().toFile(), new TypeReference<Map<String, RecordingProfile>>() {});
      return Optional.ofNullable(profiles.get(speaker));
    } catch (IOException e) {
      notice.accept(file.get() + " cannot be read, so nothing is compared with the recordings: " + e.getMessage());
      return Optional.empty();
    }
  }

  private Map<String, Object> judge(
      SynthRequest.Line line, Speech speech, RecordingProfile recordings, String speaker, ValettsConfig config) {
    SpeechLikeness likeness =
        SpeechLikeness.compare(
            new SpeechAnalysis(engine, config.audio()).measure(speech.samples(), speech.phonemeCount()), recordings);
    notice.accept("held against the recordings: " + likeness.describe());
    Map<String, Object> finding = new LinkedHashMap<>();
    finding.put("text", line.text());
    finding.put("speaker", speaker);
    finding.put("speechLike", likeness.fits());
    finding.put("likeness", likeness);
    return finding;
  }

  /**
   * Adds to what earlier syntheses of other files found. A voice may be read from where nothing can be written: that
   * costs the findings, not the speech.
   */
  private void keep(RunDirectory run, Map<String, Object> findings) {
    Map<String, Object> all = new LinkedHashMap<>();
    RunDirectory.readJson(run.evaluation()).ifPresent(all::putAll);
    all.putAll(findings);
    try {
      RunDirectory.writeJson(run.evaluation(), all);
    } catch (UncheckedIOException e) {
      notice.accept(run.evaluation() + " could not be written: " + e.getCause().getMessage());
    }
  }
}
