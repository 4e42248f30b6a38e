package ai.valetts.cli;

/** A command line that cannot be understood. The message says what was expected. */
final class UsageException extends RuntimeException {
  UsageException(String message) {
    super(message);
  }
}
