package ai.valetts.monitor;

import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Keeps what each validation made to hear and to see: synthesized sentences as {@code samples/step-00000100_SPEAKER_0.wav},
 * the rest as {@code media/step-00000100/gen_mel.png}. What belongs to the recordings is the same at every validation and
 * kept once, as {@code media/gt_audio.wav}.
 */
public final class MediaFiles implements RunListener {
  private static final String SENTENCE = "sample/";

  private final Path run;
  private final Set<String> keptOnce = new HashSet<>();

  /**
   * @param run folder of the run
   */
  public MediaFiles(Path run) {
    this.run = run;
  }

  @Override
  public String name() {
    return "Keeping samples and pictures";
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (!(event instanceof ValidationCompleted validation)) {
      return;
    }
    for (AudioSample sample : validation.audio()) {
      String file = audioFile(sample.tag(), validation.step());
      if (isDue(file, sample.tag())) {
        keep(file, WavBytes.of(sample.samples(), sample.sampleRateHz()));
      }
    }
    for (HeatMap image : validation.images()) {
      String file = imageFile(image.tag(), validation.step());
      if (isDue(file, image.tag())) {
        keep(file, new HeatMapPng(image).bytes());
      }
    }
  }

  /** What {@link #on} keeps of a validation, for the run's journal. */
  static List<RunRecord.Media> keptOf(ValidationCompleted validation) {
    List<RunRecord.Media> media = new ArrayList<>();
    for (AudioSample sample : validation.audio()) {
      media.add(
          new RunRecord.Media(
              sample.tag(), audioFile(sample.tag(), validation.step()), sample.text(), sample.sampleRateHz(),
              sample.samples().length));
    }
    for (HeatMap image : validation.images()) {
      media.add(new RunRecord.Media(image.tag(), imageFile(image.tag(), validation.step()), "", 0, 0));
    }
    return media;
  }

  /** Where the audio of a tag is kept, from the run's folder. */
  static String audioFile(String tag, long step) {
    return tag.startsWith(SENTENCE)
        ? "samples/step-%08d_%s.wav".formatted(step, plain(tag.substring(SENTENCE.length())))
        : folder(tag, step) + plain(tag) + ".wav";
  }

  /** Where the image of a tag is kept, from the run's folder. */
  static String imageFile(String tag, long step) {
    return folder(tag, step) + plain(tag) + ".png";
  }

  private static String folder(String tag, long step) {
    return isOfRecording(tag) ? "media/" : "media/step-%08d/".formatted(step);
  }

  private static boolean isOfRecording(String tag) {
    return tag.startsWith("gt/") || tag.startsWith("all/mel") || tag.startsWith("slice/mel_org");
  }

  private static String plain(String tag) {
    return tag.replaceAll("[^\\p{L}\\p{N}._-]", "_");
  }

  private boolean isDue(String file, String tag) {
    return !isOfRecording(tag) || keptOnce.add(file);
  }

  /** Whoever reads while this writes finds the old file or the new one. */
  private void keep(String file, byte[] bytes) throws IOException {
    Path target = run.resolve(file);
    Files.createDirectories(target.getParent());
    Path draft = target.resolveSibling(target.getFileName() + ".tmp");
    Files.write(draft, bytes);
    Files.move(draft, target, StandardCopyOption.REPLACE_EXISTING);
  }
}
