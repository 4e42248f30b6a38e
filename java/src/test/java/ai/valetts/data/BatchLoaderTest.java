package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.DataConfig;
import ai.valetts.engine.Batch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BatchLoaderTest {
  private static final DataConfig DATA = DataFixtures.config(0, 0);

  /** A clip's samples are its id, so that a batch shows whose they are. */
  private static final ClipAudio AUDIO =
      clip -> {
        float[] samples = new float[clip.samples()];
        Arrays.fill(samples, clip.id());
        return samples;
      };

  private static List<Clip> clips(int count) {
    return IntStream.range(0, count).mapToObj(i -> DataFixtures.clip(i, 10 + i * 37 % 140, 4 + i % 13)).toList();
  }

  private static BatchLoader loader(List<Clip> clips, ClipAudio audio, BatchPosition start) {
    return new BatchLoader(clips, audio, DATA, DataFixtures.AUDIO, 42, start);
  }

  private static List<List<String>> names(BatchLoader loader, int batches) {
    List<List<String>> names = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      try (Batch batch = loader.next()) {
        names.add(batch.utteranceNames());
      }
    }
    return names;
  }

  @Test
  void fillsBatchesWithPaddedRows() {
    List<Clip> clips = clips(11);
    try (BatchLoader loader = loader(clips, AUDIO, BatchPosition.START)) {
      for (int i = 0; i < 9; i++) {
        try (Batch batch = loader.next()) {
          assertThat(batch.maxSamples() % (16 * 256)).isZero();
          assertThat(batch.maxTokens() % 8).isZero();
          Batch.Storage storage = batch.storage();
          for (int b = 0; b < batch.size(); b++) {
            long id = storage.utteranceIds.get(b);
            Clip clip = clips.stream().filter(c -> c.id() == id).findFirst().orElseThrow();
            assertThat(batch.utteranceNames().get(b)).isEqualTo("s/" + clip.name());
            assertThat(storage.speakerIds.get(b)).isEqualTo(clip.speakerId());
            assertThat(storage.sampleLengths.get(b)).isEqualTo(clip.samples());
            assertThat(storage.tokenLengths.get(b)).isEqualTo(clip.tokenIds().length);
            for (int t = 0; t < batch.maxTokens(); t++) {
              int expected = t < clip.tokenIds().length ? clip.tokenIds()[t] : 0;
              assertThat(storage.tokenIds.get(b * batch.maxTokens() + t)).isEqualTo(expected);
            }
            int row = b * batch.maxSamples();
            assertThat(storage.samples.get(row)).isEqualTo(id);
            assertThat(storage.samples.get(row + clip.samples() - 1)).isEqualTo(id);
            for (int n = clip.samples(); n < batch.maxSamples(); n++) {
              assertThat(storage.samples.get(row + n)).isZero();
            }
          }
        }
      }
    }
  }

  @Test
  void usesEveryClipOnceAnEpochInAnotherOrder() {
    List<Clip> clips = clips(50);
    try (BatchLoader loader = loader(clips, AUDIO, BatchPosition.START)) {
      assertThat(loader.batchesPerEpoch()).isEqualTo(13);
      List<List<String>> first = names(loader, 13);
      List<List<String>> second = names(loader, 13);
      assertThat(loader.position()).isEqualTo(new BatchPosition(2, 0));
      for (List<List<String>> epoch : List.of(first, second)) {
        assertThat(epoch.stream().flatMap(List::stream)).hasSize(50).doesNotHaveDuplicates();
        assertThat(epoch.stream().filter(batch -> batch.size() < 4)).hasSizeLessThanOrEqualTo(1);
      }
      assertThat(second).isNotEqualTo(first);
    }
  }

  @Test
  void continuesExactlyWhereACheckpointStopped() {
    List<Clip> clips = clips(30);
    List<List<String>> whole;
    List<BatchPosition> positions = new ArrayList<>();
    try (BatchLoader loader = loader(clips, AUDIO, BatchPosition.START)) {
      whole = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        positions.add(loader.position());
        whole.addAll(names(loader, 1));
      }
    }
    for (int stop = 0; stop < 20; stop++) {
      try (BatchLoader loader = loader(clips, AUDIO, positions.get(stop))) {
        assertThat(loader.position()).isEqualTo(positions.get(stop));
        assertThat(names(loader, 20 - stop)).isEqualTo(whole.subList(stop, 20));
      }
    }
  }

  @Test
  void ordersBatchesTheSameHoweverSlowTheThreadsAre() {
    List<Clip> clips = clips(40);
    ClipAudio slow =
        clip -> {
          try {
            Thread.sleep(ThreadLocalRandom.current().nextInt(4));
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return AUDIO.samples(clip);
        };
    try (BatchLoader quick = loader(clips, AUDIO, BatchPosition.START);
        BatchLoader late = loader(clips, slow, BatchPosition.START)) {
      assertThat(names(late, 20)).isEqualTo(names(quick, 20));
    }
  }

  @Test
  void dependsOnTheSeed() {
    List<Clip> clips = clips(40);
    try (BatchLoader one = loader(clips, AUDIO, BatchPosition.START);
        BatchLoader other = new BatchLoader(clips, AUDIO, DATA, DataFixtures.AUDIO, 43, BatchPosition.START)) {
      assertThat(names(other, 10)).isNotEqualTo(names(one, 10));
    }
  }

  /** The order is part of what a checkpoint promises: it must not change with a release of ours or of Java. */
  @Test
  void keepsItsOrderForEver() {
    List<String> order =
        EpochPlan.ofFixedSize(clips(6), List.of(40, 80, 120), 256, 4, 42, 0).stream()
            .map(batch -> String.join(" ", batch.stream().map(Clip::name).toList()))
            .toList();
    assertThat(order).containsExactly("c2 c3", "c4 c0 c1 c5");
  }

  @Test
  void reusesBuffers() {
    Set<Batch.Storage> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    try (BatchLoader loader = loader(clips(40), AUDIO, BatchPosition.START)) {
      for (int i = 0; i < 100; i++) {
        try (Batch batch = loader.next()) {
          seen.add(batch.storage());
        }
      }
    }
    assertThat(seen).hasSizeLessThanOrEqualTo(DATA.prefetchBatches() + 2);
  }

  @Test
  void showsTheNextBatchOnceItIsThereAndKeepsIt() throws InterruptedException {
    try (BatchLoader loader = loader(clips(40), AUDIO, BatchPosition.START)) {
      while (loader.upcoming().isEmpty()) {
        Thread.sleep(1);
      }
      BatchPosition before = loader.position();
      Batch shown = loader.upcoming().orElseThrow();
      assertThat(loader.position()).isEqualTo(before);
      try (Batch next = loader.next()) {
        assertThat(next).isSameAs(shown);
      }
    }
  }

  @Test
  void takesAllMemoryFromItsAllocator() {
    List<ByteBuffer> given = new ArrayList<>();
    Batch.Allocator allocator =
        bytes -> {
          given.add(ByteBuffer.allocateDirect(bytes));
          return given.get(given.size() - 1);
        };
    List<Clip> clips = clips(3);
    BatchAssembler assembler = new BatchAssembler(AUDIO, 256, allocator);
    try (Batch batch = assembler.assemble(clips)) {
      batch.storage().samples.put(0, 0.25f);
      batch.storage().tokenIds.put(0, 77);
    }
    int needed = given.stream().mapToInt(ByteBuffer::capacity).sum();
    assertThat(needed).isGreaterThan(3 * 4 * clips.stream().mapToInt(Clip::samples).max().orElseThrow());
    assertThat(given)
        .filteredOn(buffer -> buffer.capacity() >= Float.BYTES)
        .anySatisfy(buffer -> assertThat(buffer.order(ByteOrder.nativeOrder()).getFloat(0)).isEqualTo(0.25f))
        .anySatisfy(buffer -> assertThat(buffer.order(ByteOrder.nativeOrder()).getInt(0)).isEqualTo(77));
    int buffers = given.size();
    assembler.assemble(clips).close();
    assertThat(given).hasSize(buffers);
  }

  @Test
  void makesSmallBatchesOfFewClips() {
    try (BatchLoader loader = loader(clips(1), AUDIO, BatchPosition.START)) {
      assertThat(loader.batchesPerEpoch()).isEqualTo(1);
      assertThat(names(loader, 3)).containsExactly(List.of("s/c0"), List.of("s/c0"), List.of("s/c0"));
    }
    assertThatThrownBy(() -> loader(List.of(), AUDIO, BatchPosition.START)).isInstanceOf(DataException.class);
  }

  @Test
  void startsTheNextEpochWhenThePositionIsBeyondTheData() {
    try (BatchLoader loader = loader(clips(8), AUDIO, new BatchPosition(3, 99))) {
      assertThat(loader.position()).isEqualTo(new BatchPosition(4, 0));
    }
  }

  @Test
  void reportsABackgroundFailureAtItsBatch() {
    List<Clip> clips = clips(20);
    String culprit;
    try (BatchLoader loader = loader(clips, AUDIO, BatchPosition.START)) {
      names(loader, 3);
      culprit = names(loader, 1).get(0).get(0);
    }
    ClipAudio failing =
        clip -> {
          if (culprit.equals("s/" + clip.name())) {
            throw new DataException("cannot read " + clip.name());
          }
          return AUDIO.samples(clip);
        };
    try (BatchLoader loader = loader(clips, failing, BatchPosition.START)) {
      names(loader, 3);
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(loader::next).isInstanceOf(DataException.class).hasMessageContaining("cannot read");
        assertThat(loader.position()).isEqualTo(new BatchPosition(0, 3));
      }
    }
  }

  @Test
  void stopsItsThreadsOnClose() throws InterruptedException {
    CountDownLatch started = new CountDownLatch(1);
    ClipAudio slow =
        clip -> {
          started.countDown();
          return AUDIO.samples(clip);
        };
    BatchLoader loader = loader(clips(20), slow, BatchPosition.START);
    started.await();
    Batch kept = loader.next();
    loader.close();
    loader.close();
    long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    while (batchThreads() > 0 && System.nanoTime() < deadline) {
      Thread.sleep(5);
    }
    assertThat(batchThreads()).isZero();
    assertThat(kept.storage().utteranceIds.get(0)).isPositive();
    kept.close();
    assertThatThrownBy(loader::next).isInstanceOf(IllegalStateException.class);
  }

  private static long batchThreads() {
    return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().equals("valetts-batch")).count();
  }

  @RepeatedTest(200)
  void plansEveryClipOnceInFullBatches(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    int count = 1 + random.nextInt(120);
    int batchSize = 1 + random.nextInt(17);
    int epoch = random.nextInt(1001);
    long seed = random.nextLong();
    List<Clip> clips = clips(count);
    List<List<Clip>> plan = EpochPlan.ofFixedSize(clips, List.of(40, 80, 120), 256, batchSize, seed, epoch);
    assertThat(plan).hasSize(EpochPlan.batchCount(count, batchSize));
    assertThat(plan.stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(clips);
    assertThat(plan.stream().filter(batch -> batch.size() != batchSize)).hasSizeLessThanOrEqualTo(1);
    assertThat(EpochPlan.ofFixedSize(clips, List.of(40, 80, 120), 256, batchSize, seed, epoch)).isEqualTo(plan);
  }

  private static DataConfig budget(int batchFrames, int batchSize) {
    DataConfig data = DataFixtures.config(0, 0);
    return new DataConfig(
        List.of(), batchSize, batchFrames, data.bucketFrames(), 0.1, 5, null, null, null, null, 0, 0, 2, data.prefetchBatches());
  }

  @RepeatedTest(200)
  void plansEveryClipOnceWithinTheBudget(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<Clip> clips = clips(1 + random.nextInt(120));
    int batchSize = 1 + random.nextInt(17);
    int batchFrames = 160 + random.nextInt(2000);
    EpochPlan plan = new EpochPlan(clips, budget(batchFrames, batchSize), 256, random.nextLong());
    int epoch = random.nextInt(1001);
    List<List<Clip>> batches = plan.batches(epoch);
    assertThat(batches.stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(clips);
    for (List<Clip> batch : batches) {
      int longest = batch.stream().mapToInt(Clip::samples).max().orElseThrow();
      assertThat(batch).hasSizeLessThanOrEqualTo(batchSize);
      if (batch.size() > 1) {
        assertThat(batch.size() * ((longest + 4095) / 4096 * 16)).isLessThanOrEqualTo(batchFrames);
      }
    }
    assertThat(plan.batches(epoch)).isEqualTo(batches);
  }

  /** Lengths as in read speech: a gamma distribution around 5 s, at 22,050 Hz. */
  private static List<Clip> speech(int count) {
    Random random = new Random(7);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              double seconds = 0;
              for (int k = 0; k < 4; k++) {
                seconds -= 1.26 * Math.log(1 - random.nextDouble());
              }
              return DataFixtures.clip(i, (int) (Math.max(1, Math.min(17, seconds)) * 86.13), 20);
            })
        .toList();
  }

  @Test
  void computesLittlePaddingWithinABudget() {
    List<Clip> clips = speech(5_000);
    assertThat(new EpochPlan(clips, budget(16_000, 64), 256, 1).paddedShare(3)).isBetween(1.0, 1.07);
    assertThat(new EpochPlan(clips, budget(36_000, 128), 256, 1).paddedShare(3)).isBetween(1.0, 1.07);
  }

  @Test
  void pads22910ClipsOfSpeechByAtMost7Percent() {
    List<Clip> clips = speech(22_910);
    assertThat(new EpochPlan(clips, budget(36_000, 64), 256, 1).paddedShare(0)).isBetween(1.0, 1.07);
    assertThat(new EpochPlan(clips, budget(36_000, 8), 256, 1).paddedShare(0)).isBetween(1.0, 1.07);
  }

  /** What lies beyond the last whole frame takes room in a batch: 80 frames and a little are padded to 96. */
  @Test
  void makesBatchesWithThePaddingOfTheirPlan() {
    List<Clip> clips = speech(600);
    DataConfig data = budget(4_000, 16);
    EpochPlan plan = new EpochPlan(clips, data, DataFixtures.AUDIO.hopLength(), 42);
    long padded = 0;
    long real = 0;
    ClipAudio silence = clip -> new float[clip.samples()];
    try (BatchLoader loader = new BatchLoader(clips, silence, data, DataFixtures.AUDIO, 42, BatchPosition.START)) {
      while (loader.position().epoch() == 0) {
        try (Batch batch = loader.next()) {
          padded += (long) batch.size() * (batch.maxSamples() / DataFixtures.AUDIO.hopLength());
          real += batch.totals(DataFixtures.AUDIO.hopLength()).frames();
        }
      }
    }
    assertThat((double) padded / real).isCloseTo(plan.paddedShare(0), within(1e-12)).isLessThan(1.07);
  }

  /** Voice prompts: half of them shorter than 1.5 s, a few of them ten times as long. */
  @Test
  void makesMoreBatchesOfFewClipsOfManyLengths() {
    Random random = new Random(3);
    List<Clip> clips =
        IntStream.range(0, 500)
            .mapToObj(i -> DataFixtures.clip(i, (int) (60 * Math.exp(0.9 * Math.abs(random.nextGaussian()))), 5))
            .toList();
    EpochPlan plan = new EpochPlan(clips, budget(36_000, 64), 256, 1);
    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(plan.paddedShare(epoch)).isBetween(1.0, 1.07);
      assertThat(plan.batches(epoch)).hasSizeBetween(8, 40);
      assertThat(plan.batches(epoch).stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(clips);
    }
  }

  /** Sixteen frames are the step of lengths: a clip of 17 takes 32 whatever its company. */
  @Test
  void givesUpOnPaddingThatNoBatchSizeAvoids() {
    List<Clip> clips = IntStream.range(0, 90).mapToObj(i -> DataFixtures.clip(i, 17, 5)).toList();
    EpochPlan plan = new EpochPlan(clips, budget(36_000, 64), 256, 1);
    assertThat(plan.paddedShare(0)).isCloseTo(32.0 / 17, within(1e-12));
    assertThat(plan.batches(0).stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(clips);
  }

  @Test
  void leavesAClipLongerThanTheBudgetAlone() {
    List<Clip> clips = List.of(DataFixtures.clip(0, 50, 5), DataFixtures.clip(1, 900, 5), DataFixtures.clip(2, 50, 5));
    EpochPlan plan = new EpochPlan(clips, budget(200, 8), 256, 1);
    assertThat(plan.batches(0)).containsExactlyInAnyOrder(List.of(clips.get(0), clips.get(2)), List.of(clips.get(1)));
  }

  @Test
  void mixesNeighboursFromEpochToEpoch() {
    List<Clip> clips = speech(2_000);
    EpochPlan plan = new EpochPlan(clips, budget(16_000, 64), 256, 1);
    Set<List<Clip>> first = new HashSet<>(plan.batches(0));
    assertThat(plan.batches(1)).doesNotContainAnyElementsOf(first);
  }

  @Test
  void continuesExactlyWithinABudget() {
    List<Clip> clips = speech(300);
    DataConfig data = budget(4_000, 16);
    List<List<String>> whole = new ArrayList<>();
    List<BatchPosition> positions = new ArrayList<>();
    ClipAudio silence = clip -> new float[clip.samples()];
    try (BatchLoader loader = new BatchLoader(clips, silence, data, DataFixtures.AUDIO, 42, BatchPosition.START)) {
      for (int i = 0; i < 100; i++) {
        positions.add(loader.position());
        whole.addAll(names(loader, 1));
      }
      assertThat(loader.position().epoch()).isPositive();
    }
    for (int stop : List.of(1, 37, 60, 99)) {
      try (BatchLoader loader =
          new BatchLoader(clips, silence, data, DataFixtures.AUDIO, 42, positions.get(stop))) {
        assertThat(names(loader, 100 - stop)).isEqualTo(whole.subList(stop, 100));
      }
    }
  }

  @Test
  void makesFewShapes() {
    List<Clip> clips = IntStream.range(0, 400).mapToObj(i -> DataFixtures.clip(i, 30 + i % 90, 5 + i % 20)).toList();
    Set<String> shapes = new HashSet<>();
    try (BatchLoader loader = loader(clips, AUDIO, BatchPosition.START)) {
      for (int i = 0; i < 100; i++) {
        try (Batch batch = loader.next()) {
          shapes.add(batch.maxTokens() + "x" + batch.maxSamples());
        }
      }
    }
    assertThat(shapes).hasSizeLessThan(20);
  }
}
