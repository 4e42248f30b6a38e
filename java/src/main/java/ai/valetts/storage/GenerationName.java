package ai.valetts.storage;

import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the names of a generation's files begin with: {@code g1767225600-s00003400-1a2b3c4d-5e6f70}.
 *
 * @param sequence higher than those before it and at least the second it was made in, since 1970; the highest is the newest
 *     generation, whatever its step
 * @param step of the checkpoint
 * @param lineage 8 hex digits that tell one run from another of the same name
 * @param nonce 6 hex digits that make the name unique
 */
public record GenerationName(long sequence, long step, String lineage, String nonce)
    implements Comparable<GenerationName> {
  private static final Pattern FORM = Pattern.compile("g(\\d{6,15})-s(\\d{8,15})-([0-9a-f]{8})-([0-9a-f]{6})\\..+");
  private static final String MANIFEST = ".generation.json";

  private static final Comparator<GenerationName> AGE =
      Comparator.comparingLong(GenerationName::sequence)
          .thenComparingLong(GenerationName::step)
          .thenComparing(GenerationName::nonce)
          .thenComparing(GenerationName::lineage);

  static GenerationName fresh(long sequence, long step, String lineage, RandomGenerator random) {
    return new GenerationName(sequence, step, lineage, String.format("%06x", random.nextInt(1 << 24)));
  }

  /** The generation that a file belongs to; empty for a file of someone else's. */
  public static Optional<GenerationName> of(String blob) {
    Matcher matcher = FORM.matcher(blob);
    return matcher.matches()
        ? Optional.of(
            new GenerationName(
                Long.parseLong(matcher.group(1)),
                Long.parseLong(matcher.group(2)),
                matcher.group(3),
                matcher.group(4)))
        : Optional.empty();
  }

  static boolean isManifest(String blob) {
    return blob.endsWith(MANIFEST);
  }

  /** Name of the file that makes the generation exist; each attempt at writing it takes another. */
  String manifest(int attempt) {
    return attemptAt(attempt) + MANIFEST;
  }

  /** Name in the store of one of its files; each attempt at writing it takes another. */
  String blob(String file, int attempt) {
    return attemptAt(attempt) + "." + file.replaceAll("[^A-Za-z0-9._-]", "_");
  }

  private String attemptAt(int attempt) {
    return attempt == 0 ? toString() : this + ".again" + attempt;
  }

  /** Oldest first. */
  @Override
  public int compareTo(GenerationName other) {
    return AGE.compare(this, other);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "g%06d-s%08d-%s-%s", sequence, step, lineage, nonce);
  }
}
