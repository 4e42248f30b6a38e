package ai.valetts.engine.jni;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test class that leaves objects of the native core open, or to the garbage collector. */
public final class LeakedHandleExtension implements BeforeAllCallback, AfterAllCallback {
  private long openBefore;
  private long leakedBefore;

  @Override
  public void beforeAll(ExtensionContext context) {
    openBefore = NativeHandle.open();
    leakedBefore = NativeHandle.leaked();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    // Looked at before the second count: what is collected in between moves from one to the other.
    long open = NativeHandle.open() - openBefore;
    long leaked = NativeHandle.leaked() - leakedBefore;
    if (open + leaked != 0) {
      throw new AssertionError(
          context.getDisplayName() + " left " + open + " native objects open and " + leaked
              + " to the garbage collector; each needs a close()");
    }
  }
}
