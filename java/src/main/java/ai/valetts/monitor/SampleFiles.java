package ai.valetts.monitor;

import ai.valetts.event.AudioSample;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Keeps the sentences synthesized at each validation as WAV files: {@code samples/step-00000100_SPEAKER_0.wav}. */
public final class SampleFiles implements RunListener {
  private static final String PREFIX = "sample/";

  private final Path directory;

  public SampleFiles(Path directory) {
    this.directory = directory;
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (!(event instanceof ValidationCompleted validation)) {
      return;
    }
    for (AudioSample sample : validation.audio()) {
      if (sample.tag().startsWith(PREFIX)) {
        String name = sample.tag().substring(PREFIX.length()).replaceAll("[^\\p{L}\\p{N}._-]", "_");
        Files.createDirectories(directory);
        Files.write(
            directory.resolve("step-%08d_%s.wav".formatted(validation.step(), name)),
            WavBytes.of(sample.samples(), sample.sampleRateHz()));
      }
    }
  }
}
