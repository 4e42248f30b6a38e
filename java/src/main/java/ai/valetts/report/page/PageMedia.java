package ai.valetts.report.page;

import ai.valetts.monitor.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The sounds and pictures that the page carries: of as many validations, evenly spread from the first to the last, as the
 * budget allows. Where even two validations are too many, the later tags are left out and counted.
 */
final class PageMedia {
  private static final int MOST_STEPS = 24;

  private final Map<String, Track> tracks = new LinkedHashMap<>();
  private final int leftOut;

  /**
   * One tag over the steps.
   *
   * @param text what is spoken; empty for a picture
   * @param dataUris by step
   */
  record Track(String tag, boolean audio, String text, Map<Long, String> dataUris) {}

  /**
   * @param budgetBytes of the files before they are encoded
   */
  PageMedia(Path run, List<RunRecord.Validation> validations, long budgetBytes) throws IOException {
    List<RunRecord.Validation> useful =
        validations.stream().filter(validation -> !validation.media().isEmpty()).toList();
    if (useful.isEmpty()) {
      leftOut = 0;
      return;
    }
    List<RunRecord.Media> newest = useful.get(useful.size() - 1).media();
    Set<String> chosen = new LinkedHashSet<>();
    long eachStep = 0;
    for (RunRecord.Media media : newest) {
      long size = sizeOf(run.resolve(media.file()));
      // The whole recording's spectrogram is there under another name, as TensorBoard users know it.
      if (size > 0 && !media.tag().startsWith("all/mel") && (eachStep + size) * 2 <= budgetBytes) {
        eachStep += size;
        chosen.add(media.tag());
      }
    }
    leftOut = (int) newest.stream().filter(media -> !media.tag().startsWith("all/mel")).count() - chosen.size();
    int steps = (int) Math.max(2, Math.min(MOST_STEPS, eachStep == 0 ? 2 : budgetBytes / eachStep));
    long left = budgetBytes;
    // From the newest backwards, so that what the budget cuts off is not what is looked for.
    List<Integer> order = new ArrayList<>(spread(useful.size(), steps));
    java.util.Collections.reverse(order);
    Map<String, Map<Long, String>> encoded = new LinkedHashMap<>();
    for (int index : order) {
      RunRecord.Validation validation = useful.get(index);
      for (RunRecord.Media media : validation.media()) {
        Path file = run.resolve(media.file()).normalize();
        long size = sizeOf(file);
        boolean known = encoded.getOrDefault(media.tag(), Map.of()).size() > 0 && isConstant(media);
        if (!chosen.contains(media.tag()) || known || size == 0 || size > left || !file.startsWith(run)) {
          continue;
        }
        left -= size;
        String type = media.isAudio() ? "audio/wav" : "image/png";
        encoded.computeIfAbsent(media.tag(), tag -> new java.util.TreeMap<>())
            .put(validation.step(), "data:" + type + ";base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(file)));
      }
    }
    for (RunRecord.Media media : newest) {
      if (encoded.containsKey(media.tag())) {
        tracks.put(media.tag(), new Track(media.tag(), media.isAudio(), media.text(), encoded.get(media.tag())));
      }
    }
  }

  /** In the order of the newest validation. */
  List<Track> tracks() {
    return List.copyOf(tracks.values());
  }

  /** Tags that are not on the page. */
  int leftOut() {
    return leftOut;
  }

  /** What lies outside of the folders of the steps is the same at every validation. */
  private static boolean isConstant(RunRecord.Media media) {
    return media.file().startsWith("media/") && !media.file().startsWith("media/step-");
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException gone) {
      return 0;
    }
  }

  /** So many numbers below {@code count}, evenly spread, the first and the last among them. */
  static Set<Integer> spread(int count, int most) {
    Set<Integer> chosen = new TreeSet<>();
    int parts = Math.min(count, most);
    for (int i = 0; i < parts; i++) {
      chosen.add(parts == 1 ? count - 1 : (int) Math.round((double) i * (count - 1) / (parts - 1)));
    }
    return chosen;
  }
}
