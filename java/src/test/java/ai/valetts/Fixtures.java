package ai.valetts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Numbers recorded from the public reference, which lie beside the checkout, if at all: the folder that
 * {@code VALETTS_FIXTURES} names, else {@code ../shared/fixtures}.
 */
public final class Fixtures {
  private static final Path CHECKOUT = Path.of(System.getProperty("valetts.checkout", "..")).toAbsolutePath().normalize();

  private Fixtures() {}

  /** A fixture's file. Without it the test is skipped, or fails where {@code VALETTS_REQUIRE_FIXTURES} is 1. */
  public static Path file(String name) {
    String named = System.getenv("VALETTS_FIXTURES");
    Path folder = named == null ? CHECKOUT.resolve("../shared/fixtures") : Path.of(named);
    Path file = folder.resolve(name).normalize();
    boolean there = Files.isRegularFile(file);
    if (!there && "1".equals(System.getenv("VALETTS_REQUIRE_FIXTURES"))) {
      throw new AssertionError("VALETTS_REQUIRE_FIXTURES=1, but there is no fixture " + file);
    }
    if (!there) {
      System.err.println("skipped: there is no fixture " + file);
    }
    assumeTrue(there, "there is no fixture " + file);
    return file;
  }
}
