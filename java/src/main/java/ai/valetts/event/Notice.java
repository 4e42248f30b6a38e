package ai.valetts.event;

/**
 * Something a person should read.
 *
 * @param text one or more sentences
 */
public record Notice(Level level, String text) implements RunEvent {

  /** How much it matters. */
  public enum Level {
    INFO,
    WARNING
  }

  public static Notice info(String text) {
    return new Notice(Level.INFO, text);
  }

  public static Notice warning(String text) {
    return new Notice(Level.WARNING, text);
  }
}
