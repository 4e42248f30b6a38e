package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.ConfigWriter;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.Speakers;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.TrainingSession;
import ai.valetts.interchange.PublicVoice;
import ai.valetts.interchange.ReferenceExport;
import ai.valetts.interchange.ReportLine;
import ai.valetts.interchange.WeightTransfer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Brings voices in from other programs and writes them out for them. */
final class Interchange {
  /** Companion file of an imported checkpoint: where it comes from. */
  static final String ORIGIN = "origin.json";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Supplier<Engine> engine;
  private final Consumer<String> notice;

  /** The engine is opened only where initial values are needed. */
  Interchange(Supplier<Engine> engine, Consumer<String> notice) {
    this.engine = engine;
    this.notice = notice;
  }

  ImportResult importVoice(ImportRequest request) {
    try (PublicVoice voice = open(request)) {
      ValettsConfig config = voice.config();
      Speakers speakers = Speakers.of(voice.speakers());
      Map<String, byte[]> companions =
          new HashMap<>(SavedVoice.companions(ConfigWriter.write(config), voice.symbols(), speakers));
      companions.put(ORIGIN, origin(request, voice));
      EngineConfig sizes = EngineConfigs.of(config, voice.symbols().size(), speakers.size());
      CheckpointStore.publishAlone(
          request.output(),
          companions,
          TrainState.START,
          new RunIdentity(config.training().seed(), 0, "imported", ""),
          folder -> withInitialValues(voice.isIncomplete(), sizes, initial -> voice.write(folder, initial)));
      return new ImportResult(
          request.output().toAbsolutePath().normalize(), weights(voice.report()), voice.remarks(), voice.speakers());
    }
  }

  /** The configuration that an import would have; nothing is written. */
  static ValettsConfig configOf(ImportRequest request) {
    try (PublicVoice voice = open(request)) {
      return voice.config();
    }
  }

  private static PublicVoice open(ImportRequest request) {
    String file = String.valueOf(request.output().getFileName());
    String name = file.replaceAll("[^A-Za-z0-9._-]", "_").replaceFirst("^\\.+", "");
    return PublicVoice.open(
        new PublicVoice.Sources(
            request.generator(),
            request.discriminator(),
            request.durationDiscriminator(),
            request.config(),
            request.symbols(),
            request.speakers()),
        new PublicVoice.Choices(
            name.isEmpty() ? "imported" : name,
            request.reading(),
            request.language(),
            request.addedSpeakers(),
            request.partial(),
            request.overrides()));
  }

  private static byte[] origin(ImportRequest request, PublicVoice voice) {
    Map<String, Object> origin = new LinkedHashMap<>();
    origin.put("generator", request.generator().toString());
    origin.put("discriminator", text(request.discriminator()));
    origin.put("durationDiscriminator", text(request.durationDiscriminator()));
    origin.put("remarks", voice.remarks());
    origin.put("weights", weights(voice.report()));
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(origin);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Plain values are JSON", e);
    }
  }

  private static String text(Path path) {
    return path == null ? null : path.toString();
  }

  static List<ImportResult.Weights> weights(List<ReportLine> report) {
    return report.stream()
        .map(line -> new ImportResult.Weights(
            line.outcome(), line.part(), line.tensors(), line.numbers(), line.reason()))
        .toList();
  }

  /** Something that is written from weights, given a folder with initial ones or null. */
  interface Writing {
    void write(Path initial) throws IOException;
  }

  private void withInitialValues(boolean needed, EngineConfig sizes, Writing writing) {
    if (!needed) {
      withInitialValues(null, writing);
      return;
    }
    try (TrainingSession session = engine.get().createSession(sizes)) {
      withInitialValues(session, writing);
    }
  }

  /** @param session with freshly initialised networks, or null if none are needed */
  static void withInitialValues(TrainingSession session, Writing writing) {
    Path initial = null;
    try {
      if (session != null) {
        initial = Files.createTempDirectory("valetts-initial");
        session.save(initial);
      }
      writing.write(initial);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      delete(initial);
    }
  }

  static void delete(Path folder) {
    if (folder == null || !Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ExportResult exportVoice(ExportRequest request) {
    SavedVoice saved = SavedVoice.open(request.voice(), notice);
    Path output = request.output().toAbsolutePath().normalize();
    if (!output.toString().endsWith(".safetensors") || output.getParent() == null) {
      throw new CheckpointException("--out takes a file that ends in .safetensors, found " + request.output() + ".");
    }
    if (Files.exists(output)) {
      throw new CheckpointException(output + " is there already: choose another name, or delete it.");
    }
    try {
      Files.createDirectories(output.getParent());
      ReferenceExport export = new ReferenceExport(saved.checkpoint().directory(), side(saved));
      List<Path> files = new ArrayList<>(export.generator(output, request.withUnused()));
      if (request.discriminators()) {
        files.addAll(export.discriminators(output));
      }
      return new ExportResult(saved.checkpoint().directory(), files);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static WeightTransfer.Side side(SavedVoice saved) {
    EngineConfig sizes = EngineConfigs.of(saved.config(), saved.symbols().size(), saved.speakers().size());
    return new WeightTransfer.Side(
        saved.config(), saved.symbols(), saved.speakers().names(), sizes.vocabularySize(), sizes.speakerCount());
  }
}
