package ai.valetts.storage;

import ai.valetts.config.StorageConfig;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Copies a run's checkpoints to a store on a thread of its own. Told of each checkpoint by an event, it pins the files at
 * once and copies them when it can; when it is behind, only the newest one counts. A copy is acknowledged when all of it
 * was read back twice, {@code storage.settleSeconds} apart. Whatever the store does, training does not wait for it.
 *
 * <p>Owned by whoever wires the run: {@link #start()}, {@link #listener()} on the bus, {@link #close()} after the bus.
 */
public final class CheckpointSync implements AutoCloseable {
  private static final Duration FIRST_WAIT = Duration.ofSeconds(5);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);
  private static final Duration WAIT_FOR_A_PERSON = Duration.ofMinutes(1);
  private static final List<Duration> REMINDERS =
      List.of(Duration.ZERO, Duration.ofMinutes(5), Duration.ofMinutes(15));
  private static final long PROGRESS_MILLIS = 15_000;
  private static final long MEBIBYTE = 1 << 20;
  private static final double WORTH_EMPTYING = 0.1;

  private final String run;
  private final StorageConfig config;
  private final RunPlaces places;
  private final Supplier<BlobStore> openStore;
  private final CheckpointCheck check;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Outbox outbox;
  private final Backoff backoff;
  private final Backoff patience;
  private final Set<String> said = new HashSet<>();
  private final List<String> litter = new ArrayList<>();
  private final Thread thread = new Thread(this::work, "valetts-storage");
  private final Object lock = new Object();

  private final Consumer<Notice> withoutBus;
  private Consumer<Notice> announce;
  private Staged pending;
  private boolean pendingIsOld;
  private boolean idle = true;
  private boolean hurry;
  private boolean stopped;

  private GenerationStore store;
  private String lineage;
  private long nextSequence;
  private boolean inspected;
  private FileDigest sentPage;
  private boolean inspectionWanted;
  private boolean pageWanted;
  private volatile Upload current;
  private Instant publishedAt;
  private SyncStatus status;
  private SyncStatus written;
  private Instant failingSince;
  private int reminders;
  private Instant lastReminder;
  private StorageException lastFailure;

  /** Says whether a checkpoint's folder is whole; what it throws tells why not. */
  public interface CheckpointCheck {
    void check(Path directory);
  }

  /** Waits. */
  public interface Pause {
    void pause(Duration duration) throws InterruptedException;
  }

  /**
   * Touches neither the store nor the run's folder yet.
   *
   * @param run name of the run
   * @param runFolder folder of the run
   * @param openStore makes the store, on the copying thread and again after some failures
   * @param check of a checkpoint before it is copied
   * @param announce told what a person should know, on the copying thread; it must not block
   */
  public CheckpointSync(
      String run,
      Path runFolder,
      StorageConfig config,
      Supplier<BlobStore> openStore,
      CheckpointCheck check,
      Consumer<Notice> announce) {
    this(run, runFolder, config, openStore, check, announce, InstantSource.system(), RandomGenerator.getDefault());
  }

  CheckpointSync(
      String run,
      Path runFolder,
      StorageConfig config,
      Supplier<BlobStore> openStore,
      CheckpointCheck check,
      Consumer<Notice> announce,
      InstantSource clock,
      RandomGenerator random) {
    this.run = run;
    this.config = config;
    this.places = new RunPlaces(runFolder);
    this.openStore = openStore;
    this.check = check;
    this.withoutBus = announce;
    this.announce = announce;
    this.clock = clock;
    this.random = random;
    this.outbox = new Outbox(places.outbox());
    this.backoff = new Backoff(FIRST_WAIT, LONGEST_WAIT, random);
    this.patience = new Backoff(WAIT_FOR_A_PERSON, LONGEST_WAIT.multipliedBy(2), random);
    this.status =
        new SyncStatus(config.location(), "idle", null, null, null, null, null, null, null);
  }

  /** Starts the copying thread; call it once, before the first event. */
  public void start() {
    try {
      outbox.clear();
    } catch (IOException e) {
      warnOnce("What an interrupted run left in " + places.outbox() + " cannot be removed: " + e.getMessage() + ".");
    }
    thread.setDaemon(true);
    thread.start();
  }

  /** What is announced goes there until the bus closes the listener. */
  public void announceTo(Consumer<Notice> listener) {
    synchronized (lock) {
      announce = listener;
    }
  }

  /** What the run's bus tells; it only pins files and wakes the copying thread. */
  public RunListener listener() {
    return new RunListener() {
      @Override
      public String name() {
        return "Copying checkpoints (storage)";
      }

      @Override
      public void on(RunEvent event) {
        if (event instanceof CheckpointSaved saved) {
          offer(saved.step(), saved.directory(), false);
        } else if (event instanceof RunStarted started) {
          begin(started.resumed());
        }
      }

      @Override
      public void close() {
        announceTo(withoutBus);
      }
    };
  }

  private void begin(boolean resumed) {
    synchronized (lock) {
      inspectionWanted = true;
      idle = false;
      lock.notifyAll();
    }
    if (resumed) {
      newestLocal(places.checkpoints())
          .ifPresent(directory -> offer(stepOf(directory), directory, true));
    }
  }

  /** A checkpoint to copy, the newest there is. */
  void offer(long step, Path directory, boolean old) {
    Staged staged = outbox.stage(step, directory);
    Staged passedOver;
    synchronized (lock) {
      if (old && pending != null) {
        passedOver = staged;
      } else {
        passedOver = pending;
        pending = staged;
        pendingIsOld = old;
      }
      idle = false;
      lock.notifyAll();
    }
    if (passedOver != null) {
      outbox.release(passedOver);
    }
  }

  /** The newest published checkpoint in a run's folder of checkpoints, sound or not. */
  public static Optional<Path> newestLocal(Path checkpoints) {
    try {
      if (!Files.isDirectory(checkpoints)) {
        return Optional.empty();
      }
      try (var folders = Files.list(checkpoints)) {
        return folders
            .filter(folder -> folder.getFileName().toString().matches("step-\\d{1,15}"))
            .filter(Files::isDirectory)
            .max(Comparator.comparingLong(CheckpointSync::stepOf));
      }
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The step that the name of a checkpoint's folder states. */
  public static long stepOf(Path directory) {
    return Long.parseLong(directory.getFileName().toString().substring("step-".length()));
  }

  /** Step of the last acknowledged copy; empty before the first. */
  public OptionalLong acknowledgedStep() {
    synchronized (lock) {
      return status.verifiedStep() == null ? OptionalLong.empty() : OptionalLong.of(status.verifiedStep());
    }
  }

  /**
   * Copies the newest local checkpoint now, on the calling thread and instead of {@link #start()}.
   *
   * @param pause waits between attempts
   * @return its step
   * @throws StorageException if there is none, it is damaged, or the store fails {@code attempts} times or for good
   */
  public long pushNewest(int attempts, Pause pause) {
    Path newest =
        newestLocal(places.checkpoints())
            .orElseThrow(() -> new StorageException(Kind.MISSING, "There is no checkpoint in " + places.checkpoints() + "."));
    synchronized (lock) {
      inspectionWanted = true;
      hurry = true;
    }
    offer(stepOf(newest), newest, true);
    int failures = 0;
    for (Duration wait = workOnce(); wait != null; wait = workOnce()) {
      if (wait.isZero()) {
        continue;
      }
      boolean forGood = lastFailure.kind() == Kind.REFUSED || lastFailure.kind() == Kind.FULL;
      if (forGood || ++failures >= attempts) {
        closeStore();
        throw lastFailure;
      }
      try {
        pause.pause(wait);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw lastFailure;
      }
    }
    closeStore();
    return acknowledgedStep()
        .orElseThrow(() -> new StorageException(Kind.LOCAL, newest + " was not copied, see above."));
  }

  private void work() {
    boolean going = true;
    while (going) {
      Duration wait = workOnce();
      synchronized (lock) {
        try {
          if (!stopped && wait == null && pending == null && !pageWanted) {
            idle = true;
            lock.notifyAll();
            lock.wait();
          } else if (!stopped && wait != null && !wait.isZero() && !hurry) {
            lock.wait(Math.max(1, wait.toMillis()));
          } else if (!stopped && wait != null && !wait.isZero()) {
            // At the end of a run the next attempt comes soon, not after minutes.
            lock.wait(Math.min(wait.toMillis(), FIRST_WAIT.toMillis()));
          }
        } catch (InterruptedException e) {
          stopped = true;
        }
        going = !stopped;
      }
    }
    closeStore();
  }

  /**
   * One attempt at what is to be done.
   *
   * @return how long to wait before the next; null if nothing is left to do
   */
  Duration workOnce() {
    boolean wanted;
    synchronized (lock) {
      wanted = inspectionWanted || pending != null || pageWanted;
    }
    try {
      takeNewer();
      if (current == null && !wanted) {
        return null;
      }
      if (store == null) {
        store = new GenerationStore(openStore.get());
      }
      inspect();
      if (current == null && !prepare()) {
        succeeded();
        sendPage();
        return null;
      }
      if (current.published() == null) {
        sweep();
        ensureRoom();
        current.publish(store.blobs(), scratch("manifest.tmp"));
        publishedAt = clock.instant();
      }
      Duration left = Duration.ofMillis((long) (config.settle() * 1000)).minus(Duration.between(publishedAt, clock.instant()));
      if (left.compareTo(Duration.ZERO) > 0 && !isHurried()) {
        return left;
      }
      confirm();
      return Duration.ZERO;
    } catch (StorageException e) {
      return failed(e);
    } catch (IOException | RuntimeException e) {
      return failed(new StorageException(Kind.LOCAL, "The copying of checkpoints failed: " + e + ".", e));
    }
  }

  /** Puts the run's page beside its copies, to be opened there; it is never worth a failure. */
  private void sendPage() {
    synchronized (lock) {
      pageWanted = false;
    }
    if (!Files.isRegularFile(places.page())) {
      return;
    }
    try {
      Path page = scratch(RunPlaces.PAGE);
      // The run may replace its page meanwhile.
      Files.copy(places.page(), page, StandardCopyOption.REPLACE_EXISTING);
      FileDigest digest = FileDigest.of(page);
      if (!digest.equals(sentPage)) {
        store.blobs().delete(RunPlaces.PAGE);
        store.blobs().put(RunPlaces.PAGE, page, digest, Transfer.SILENT);
        sentPage = digest;
      }
    } catch (IOException | StorageException e) {
      warnOnce("The run's page was not copied to " + store.location() + ": " + e.getMessage());
    }
  }

  private boolean isHurried() {
    synchronized (lock) {
      return hurry;
    }
  }

  /** What is not out yet gives way to a newer checkpoint. */
  private void takeNewer() {
    synchronized (lock) {
      if (pending == null || current == null || current.published() != null) {
        return;
      }
    }
    giveUpCurrent();
  }

  private void giveUpCurrent() {
    litter.addAll(current.attempted());
    outbox.release(current.staged());
    current = null;
  }

  /** Learns once what the store holds already. */
  private void inspect() throws IOException {
    if (inspected) {
      return;
    }
    lineage = places.lineageOrNew(random);
    GenerationStore.Contents contents =
        store.blobs().list().isEmpty()
            ? new GenerationStore.Contents(List.of(), List.of(), 0, List.of())
            : store.contents();
    contents.generations().forEach(generation -> seen(generation.name()));
    contents.rejected().forEach(rejected -> seen(rejected.name()));
    contents.unfinished().forEach(this::seen);
    contents.generations().stream()
        .filter(generation -> !generation.name().lineage().equals(lineage))
        .findFirst()
        .ifPresent(other -> warnOnce(String.format(Locale.ROOT,
            "%s holds checkpoints of another run named %s, up to step %,d. They stay as they are, this run's copies lie"
                + " beside them. To go on with that run: valetts resume --from-drive %s; to keep them apart give this run"
                + " another --name.",
            store.location(), run, other.step(), store.location())));
    inspected = true;
    synchronized (lock) {
      inspectionWanted = false;
    }
  }

  private void seen(GenerationName name) {
    nextSequence = Math.max(nextSequence, name.sequence() + 1);
  }

  /** Makes what is pending the current upload; false if there is nothing to send. */
  private boolean prepare() throws IOException {
    Staged staged;
    boolean old;
    synchronized (lock) {
      staged = pending;
      old = pendingIsOld;
      pending = null;
    }
    if (staged == null) {
      return false;
    }
    Optional<Generation> there = old ? alreadyThere(staged) : Optional.empty();
    if (there.isPresent()) {
      current = new Upload(staged, there.get());
      publishedAt = clock.instant();
      return true;
    }
    Staged pinned;
    try {
      pinned = outbox.copied(staged);
      check.check(pinned.directory());
    } catch (IOException | RuntimeException e) {
      outbox.release(staged);
      announce(Notice.warning("The checkpoint of step " + staged.step() + " was not copied to " + store.location()
          + ": " + e.getMessage()));
      return false;
    }
    Path archive = scratch(RunFiles.ARCHIVE);
    try {
      RunFiles.pack(places.root(), config.withTensorboard(), archive);
    } catch (IOException e) {
      warnOnce("The run's small files are not copied along: " + e.getMessage() + ".");
      archive = null;
    }
    // The clock keeps the order even where an old listing hides the newest copies.
    nextSequence = Math.max(nextSequence, clock.instant().getEpochSecond());
    GenerationName name = GenerationName.fresh(nextSequence++, staged.step(), lineage, random);
    current = new Upload(pinned, name, run, clock.instant(), archive);
    note("copying", staged.step());
    return true;
  }

  private Path scratch(String name) throws IOException {
    Files.createDirectories(outbox.root());
    return outbox.root().resolve(name);
  }

  /** The newest copy, if it is of this very checkpoint and sound; it still has to pass the second reading. */
  private Optional<Generation> alreadyThere(Staged staged) {
    try {
      Optional<Generation> newest =
          store.contents().generations().stream()
              .filter(generation -> generation.name().lineage().equals(lineage))
              .findFirst()
              .filter(generation -> generation.step() == staged.step());
      newest.ifPresent(store::verify);
      return newest;
    } catch (StorageException e) {
      if (e.kind() == Kind.DAMAGED || e.kind() == Kind.MISSING) {
        return Optional.empty();
      }
      putBack(staged, true);
      throw e;
    }
  }

  /** To be tried again, unless a newer one waits. */
  private void putBack(Staged staged, boolean old) {
    synchronized (lock) {
      if (pending == null) {
        pending = staged;
        pendingIsOld = old;
        return;
      }
    }
    outbox.release(staged);
  }

  /** Makes room before the store is full, and says so if there is none. */
  private void ensureRoom() {
    OptionalLong free = watchSpace().freeBytes();
    if (free.isEmpty() || free.getAsLong() >= current.totalBytes()) {
      return;
    }
    store.clean(lineage, StorageConfig.LEAST_KEPT, Long.MAX_VALUE, false);
    Space space = store.space();
    long room = space.freeBytes().orElse(Long.MAX_VALUE);
    if (room < current.totalBytes()) {
      long trash = space.trashBytes() == null ? 0 : space.trashBytes();
      throw new StorageException(Kind.FULL, String.format(Locale.ROOT,
          "%s has room for %,d MiB, the checkpoint needs %,d MiB.%s", store.location(), room / MEBIBYTE,
          current.totalBytes() / MEBIBYTE + 1,
          trash > 0
              ? String.format(Locale.ROOT, " %,d MiB lie in the trash: empty it.", trash / MEBIBYTE)
              : " Free some space there (on Drive: empty the trash)."));
    }
  }

  private Space watchSpace() {
    Space space;
    try {
      space = store.space();
    } catch (StorageException e) {
      // Not being told the room is no reason not to copy.
      return Space.UNKNOWN;
    }
    synchronized (lock) {
      status = new SyncStatus(status.location(), status.state(), status.verifiedStep(), status.verifiedGeneration(),
          status.verifiedAt(), status.waitingStep(), status.problem(), status.failingSince(), space);
    }
    if (space.limitBytes() != null && space.trashBytes() != null
        && space.trashBytes() > WORTH_EMPTYING * space.limitBytes()) {
      warnOnce(String.format(Locale.ROOT, "The trash of %s holds %,d of %,d MiB, which count against the quota: empty it.",
          store.location(), space.trashBytes() / MEBIBYTE, space.limitBytes() / MEBIBYTE));
    }
    OptionalLong free = space.freeBytes();
    if (free.isPresent() && current != null && free.getAsLong() < 2 * current.totalBytes()) {
      warnOnce(String.format(Locale.ROOT, "%s is nearly full: %,d MiB are left, a checkpoint takes %,d MiB.",
          store.location(), free.getAsLong() / MEBIBYTE, current.totalBytes() / MEBIBYTE + 1));
    }
    return space;
  }

  /** The second reading; what does not pass it is sent again under another name. */
  private void confirm() {
    try {
      store.verify(current.published());
    } catch (StorageException e) {
      if (e.kind() == Kind.DAMAGED || e.kind() == Kind.MISSING) {
        litter.addAll(current.attempted());
        Staged staged = current.staged();
        current = null;
        putBack(staged, false);
      }
      throw e;
    }
    Upload sent = current;
    current = null;
    litter.addAll(sent.leftovers());
    outbox.release(sent.staged());
    acknowledge(sent.published());
    succeeded();
    synchronized (lock) {
      pageWanted = true;
    }
    sweep();
    try {
      store.clean(lineage, config.keptGenerations(), config.maxBytes(), false);
    } catch (StorageException e) {
      warnOnce("Older copies could not be removed, which is tried again after the next one: " + e.getMessage());
    }
  }

  private void acknowledge(Generation generation) {
    synchronized (lock) {
      status = new SyncStatus(status.location(), "idle", generation.step(), generation.name().toString(),
          clock.instant().toString(), null, null, null, status.space());
    }
    writeStatus();
  }

  private void succeeded() {
    backoff.reset();
    patience.reset();
    if (failingSince != null) {
      announce(Notice.info(store.location() + " works again" + verifiedSoFar() + "."));
    }
    failingSince = null;
    reminders = 0;
  }

  /** Removes what failed attempts left; what cannot be removed now is tried again later. */
  private void sweep() {
    try {
      while (!litter.isEmpty()) {
        store.blobs().delete(litter.get(litter.size() - 1));
        litter.remove(litter.size() - 1);
      }
    } catch (StorageException e) {
      // It costs room, nothing else.
    }
  }

  private Duration failed(StorageException e) {
    lastFailure = e;
    if (e.kind() == Kind.LOCAL && current != null) {
      announce(Notice.warning("The checkpoint of step " + current.staged().step() + " was not copied: "
          + e.getMessage()));
      giveUpCurrent();
      return FIRST_WAIT;
    }
    if (e.kind() == Kind.REFUSED || e.kind() == Kind.UNAVAILABLE) {
      // A new token, a new mount or a new connection may be needed.
      closeStore();
    }
    if (e.kind() == Kind.FULL && store != null && lineage != null) {
      sweep();
      try {
        store.clean(lineage, StorageConfig.LEAST_KEPT, Long.MAX_VALUE, false);
      } catch (StorageException again) {
        e.addSuppressed(again);
      }
    }
    remind(e);
    boolean needsAPerson = e.kind() == Kind.FULL || e.kind() == Kind.REFUSED;
    return (needsAPerson ? patience : backoff).next(e.retryAfter());
  }

  /** Warns of a failure at once, then ever more rarely for as long as it lasts. */
  private void remind(StorageException e) {
    Instant now = clock.instant();
    if (failingSince == null) {
      failingSince = now;
      reminders = 0;
      lastReminder = now;
    }
    note("failing", null, e.getMessage());
    Duration due = REMINDERS.get(Math.min(reminders, REMINDERS.size() - 1));
    if (Duration.between(lastReminder, now).compareTo(due) < 0) {
      return;
    }
    String since = reminders == 0 ? "" : " for " + Duration.between(failingSince, now).toMinutes() + " minutes";
    announce(Notice.warning("CHECKPOINTS ARE NOT COPIED" + since + ": " + e.getMessage()
        + " Training goes on, checkpoints are kept in " + places.checkpoints() + verifiedSoFar()
        + "; it is tried again by itself."));
    reminders++;
    lastReminder = now;
  }

  private String verifiedSoFar() {
    synchronized (lock) {
      return status.verifiedStep() == null
          ? "; no copy has been verified yet"
          : "; the last verified copy is of step " + status.verifiedStep();
    }
  }

  private void note(String state, Long step) {
    note(state, step, null);
  }

  private void note(String state, Long step, String problem) {
    synchronized (lock) {
      Long waiting = step != null ? step : pending != null ? (Long) pending.step()
          : current != null ? (Long) current.staged().step() : null;
      status = new SyncStatus(status.location(), state, status.verifiedStep(), status.verifiedGeneration(),
          status.verifiedAt(), waiting, problem, failingSince == null ? null : failingSince.toString(), status.space());
    }
    writeStatus();
  }

  private void writeStatus() {
    try {
      SyncStatus now;
      synchronized (lock) {
        now = status;
      }
      if (!now.equals(written)) {
        now.write(places.status());
        written = now;
      }
    } catch (IOException e) {
      warnOnce(places.status() + " cannot be written: " + e.getMessage() + ".");
    }
  }

  private void warnOnce(String text) {
    if (said.add(text)) {
      announce(Notice.warning(text));
    }
  }

  private void announce(Notice notice) {
    Consumer<Notice> listener;
    synchronized (lock) {
      listener = announce;
    }
    listener.accept(notice);
  }

  private void closeStore() {
    if (store != null) {
      try {
        store.close();
      } catch (RuntimeException e) {
        // It is given up anyway.
      }
      store = null;
    }
  }

  /**
   * Gives the last checkpoint {@code storage.finalPushMinutes} to get there, tells how far it is, and ends the thread.
   * Call it after the bus is closed.
   */
  @Override
  public void close() {
    long end = System.nanoTime() + (long) (config.finalPush() * 60e9);
    boolean done;
    boolean copied;
    synchronized (lock) {
      hurry = true;
      // Whoever makes the page has made the last one by now.
      pageWanted = Files.isRegularFile(places.page());
      boolean copying = !idle;
      idle = idle && !pageWanted;
      lock.notifyAll();
      if (copying && thread.isAlive()) {
        announce.accept(Notice.info(String.format(Locale.ROOT,
            "Copying the last checkpoint to %s, for at most %.1f minutes.", config.location(), config.finalPush())));
      }
      try {
        long shown = System.nanoTime();
        while (!idle && thread.isAlive() && System.nanoTime() < end) {
          lock.wait(Math.max(1, Math.min(1_000, (end - System.nanoTime()) / 1_000_000)));
          Upload upload = current;
          if (!idle && upload != null && System.nanoTime() - shown > PROGRESS_MILLIS * 1_000_000) {
            shown = System.nanoTime();
            announce.accept(Notice.info(String.format(Locale.ROOT, "Copying step %,d: %.0f %% sent.",
                upload.staged().step(), 100 * upload.fraction())));
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      done = idle;
      copied = pending == null && current == null;
      stopped = true;
      lock.notifyAll();
    }
    if (!done) {
      thread.interrupt();
    }
    if (!done && !copied) {
      announce(Notice.warning("The last checkpoint is NOT in " + config.location() + " yet" + verifiedSoFar()
          + ". Before this machine goes: valetts drive push " + places.root()));
    } else if (acknowledgedStep().isPresent()) {
      announce(Notice.info("The copy of step " + acknowledgedStep().getAsLong() + " in " + config.location()
          + " is verified."));
    }
  }
}
