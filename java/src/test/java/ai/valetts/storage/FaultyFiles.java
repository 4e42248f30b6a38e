package ai.valetts.storage;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A mounted drive at its worst: it delays, answers with errors, loses writes at once or only after its cache has shown
 * them for a while, cuts and alters them, lets them appear late and out of order, shows old listings and fills up. Its
 * cache lies for less than {@link #LONGEST_LIE}.
 */
final class FaultyFiles implements FileAccess {
  static final Duration LONGEST_LIE = Duration.ofSeconds(15);

  /** The process died here. */
  static final class Killed extends Error {}

  private record Stored(byte[] content, Instant appears, Instant vanishes) {}

  private final VirtualClock clock;
  private final Random random;
  private final Map<String, Stored> stored = new TreeMap<>();
  private final List<Map<String, Long>> earlier = new ArrayList<>();
  private final Map<String, Integer> written = new HashMap<>();
  double faultRate;
  double killRate;
  long capacityBytes = Long.MAX_VALUE;
  boolean forbidden;
  int faults;

  FaultyFiles(VirtualClock clock, Random random) {
    this.clock = clock;
    this.random = random;
  }

  /** The machine is gone: what its cache had not sent is lost, everything else is there for all to see. */
  void disconnect() {
    stored.values().removeIf(file -> file.vanishes() != null);
    stored.replaceAll((name, file) -> new Stored(file.content(), Instant.MIN, null));
    earlier.clear();
  }

  boolean wasWrittenTwice() {
    return written.values().stream().anyMatch(times -> times > 1);
  }

  long storedBytes() {
    return stored.values().stream().mapToLong(file -> file.content().length).sum();
  }

  Map<String, byte[]> content() {
    Map<String, byte[]> content = new TreeMap<>();
    stored.forEach((name, file) -> content.put(name, file.content()));
    return content;
  }

  void replace(String name, byte[] content) {
    stored.put(name, new Stored(content, Instant.MIN, null));
  }

  void remove(String name) {
    stored.remove(name);
  }

  private boolean fault(double share) {
    boolean struck = random.nextDouble() < faultRate * share;
    faults += struck ? 1 : 0;
    return struck;
  }

  private void operation(String name) throws IOException {
    if (forbidden) {
      throw new AssertionError("the store was touched by the publishing thread");
    }
    if (killRate > 0 && random.nextDouble() < killRate) {
      throw new Killed();
    }
    stored.values().removeIf(file -> file.vanishes() != null && !clock.instant().isBefore(file.vanishes()));
    if (fault(0.3)) {
      clock.advance(Duration.ofMillis(random.nextInt(40_000)));
    }
    if (fault(0.3)) {
      throw new FileSystemException(name, null, "Input/output error");
    }
  }

  private boolean visible(Stored file) {
    return file != null && !clock.instant().isBefore(file.appears());
  }

  private Stored find(String name) throws NoSuchFileException {
    Stored file = stored.get(name);
    if (!visible(file)) {
      throw new NoSuchFileException(name);
    }
    return file;
  }

  @Override
  public void open(boolean writing) throws IOException {
    operation("");
  }

  @Override
  public List<Blob> list() throws IOException {
    operation("");
    Map<String, Long> now = new TreeMap<>();
    stored.forEach((name, file) -> {
      if (visible(file)) {
        now.put(name, (long) file.content().length);
      }
    });
    earlier.add(now);
    Map<String, Long> shown = fault(0.5) ? earlier.get(random.nextInt(earlier.size())) : now;
    return shown.entrySet().stream().map(entry -> new Blob(entry.getKey(), entry.getValue())).toList();
  }

  @Override
  public List<String> folders() {
    return List.of();
  }

  @Override
  public long size(String name) throws IOException {
    operation(name);
    return find(name).content().length;
  }

  @Override
  public OutputStream create(String name) throws IOException {
    operation(name);
    if (stored.containsKey(name)) {
      throw new FileAlreadyExistsException(name);
    }
    written.merge(name, 1, Integer::sum);
    return new ByteArrayOutputStream() {
      @Override
      public void close() throws IOException {
        byte[] content = toByteArray();
        long room = capacityBytes - storedBytes();
        if (content.length > room) {
          keep(name, Arrays.copyOf(content, (int) Math.max(0, room)), false);
          throw new IOException("No space left on device");
        }
        if (fault(0.3)) {
          keep(name, Arrays.copyOf(content, random.nextInt(content.length + 1)), false);
          throw new FileSystemException(name, null, "Input/output error");
        }
        if (killRate > 0 && random.nextDouble() < killRate) {
          keep(name, Arrays.copyOf(content, random.nextInt(content.length + 1)), true);
          throw new Killed();
        }
        if (fault(0.2)) {
          return;
        }
        if (fault(0.2)) {
          content = Arrays.copyOf(content, random.nextInt(content.length + 1));
        } else if (content.length > 0 && fault(0.2)) {
          content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
        }
        keep(name, content, true);
      }
    };
  }

  private void keep(String name, byte[] content, boolean quirks) {
    long most = LONGEST_LIE.toMillis() - 1;
    Instant appears =
        quirks && fault(0.2) ? clock.instant().plusMillis(random.nextLong(most)) : Instant.MIN;
    Instant vanishes = quirks && fault(0.2) ? clock.instant().plusMillis(random.nextLong(most)) : null;
    stored.put(name, new Stored(content, appears, vanishes));
  }

  @Override
  public InputStream read(String name) throws IOException {
    operation(name);
    byte[] content = find(name).content();
    if (fault(0.1)) {
      return new InputStream() {
        @Override
        public int read() throws IOException {
          throw new FileSystemException(name, null, "Input/output error");
        }
      };
    }
    return new ByteArrayInputStream(content);
  }

  @Override
  public void truncate(String name) throws IOException {
    operation(name);
    Stored file = find(name);
    stored.put(name, new Stored(new byte[0], file.appears(), file.vanishes()));
  }

  @Override
  public void delete(String name) throws IOException {
    operation(name);
    if (find(name).content().length > 0) {
      throw new AssertionError(name + " was deleted with content, which a drive's trash keeps");
    }
    stored.remove(name);
  }

  @Override
  public Space space() throws IOException {
    operation("");
    return Space.UNKNOWN;
  }

  @Override
  public String toString() {
    return "drive/toy";
  }
}
