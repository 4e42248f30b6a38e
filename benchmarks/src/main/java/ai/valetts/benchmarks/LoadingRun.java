package ai.valetts.benchmarks;

import ai.valetts.config.DataConfig;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.PreparedData;
import ai.valetts.engine.Batch;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loading alone, without a model: makes a corpus of synthetic clips, prepares it, and takes batches as fast as they come.
 * Prints one line of Markdown table. Arguments: work folder, clips, seconds of each clip, batch size, seconds to measure.
 */
public final class LoadingRun {
  private static final int WARM_UP_SECONDS = 5;

  private LoadingRun() {}

  public static void main(String[] arguments) throws Exception {
    Path work = Path.of(arguments[0]);
    int clips = Integer.parseInt(arguments[1]);
    double clipSeconds = Double.parseDouble(arguments[2]);
    int batchSize = Integer.parseInt(arguments[3]);
    double measured = Double.parseDouble(arguments[4]);
    Path folder = SyntheticCorpus.folder(work.resolve("corpus-" + clips), clips, clipSeconds);
    DataConfig config = SyntheticCorpus.config(folder, batchSize, batchSize * 272);
    long began = System.nanoTime();
    try (PreparedData data = SyntheticCorpus.prepare(config, work.resolve("cache"))) {
      double prepareSeconds = (System.nanoTime() - began) / 1e9;
      double perSecond;
      long direct;
      long resident;
      try (BatchLoader loader =
          new BatchLoader(data.training(), data, config, SyntheticCorpus.AUDIO, 1, BatchPosition.START)) {
        run(loader, WARM_UP_SECONDS);
        perSecond = run(loader, measured);
        direct = direct();
        resident = resident();
      }
      System.out.printf(
          Locale.ROOT,
          "| %,d | %.1f | %,.0f | %.1f | %.1f | %.1f |%n",
          clips,
          prepareSeconds,
          perSecond,
          heap() / 1e6,
          direct / 1e6,
          resident / 1e6);
      // Still needed here, so that its rows are counted.
      if (data.training().size() != clips) {
        throw new IllegalStateException("clips were lost");
      }
    }
  }

  /** What the rows take when no batch is on its way. */
  private static long heap() throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      Thread.sleep(200);
      System.gc();
      least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }
    return least;
  }

  /** Utterances in a second. */
  private static double run(BatchLoader loader, double seconds) {
    long start = System.nanoTime();
    long utterances = 0;
    while (System.nanoTime() - start < seconds * 1e9) {
      try (Batch batch = loader.next()) {
        utterances += batch.size();
      }
    }
    return utterances / ((System.nanoTime() - start) / 1e9);
  }

  private static long direct() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  private static long resident() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElse(0);
  }
}
