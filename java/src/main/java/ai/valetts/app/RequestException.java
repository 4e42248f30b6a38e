package ai.valetts.app;

/** What was asked for is not there: no run in the folder, or no such change in the run. Names both. */
final class RequestException extends RuntimeException {
  RequestException(String message) {
    super(message);
  }
}
