package ai.valetts.report.llm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicLong;

/** Takes a body of bounded size and notes when its latest byte came. */
final class BoundedBody implements BodySubscriber<byte[]> {
  private final long maxBytes;
  private final AtomicLong latestNanos;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
  private Flow.Subscription subscription;

  /**
   * @param latestNanos set to {@code System.nanoTime()} with each part
   */
  BoundedBody(long maxBytes, AtomicLong latestNanos) {
    this.maxBytes = maxBytes;
    this.latestNanos = latestNanos;
  }

  @Override
  public void onSubscribe(Flow.Subscription newSubscription) {
    subscription = newSubscription;
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(List<ByteBuffer> parts) {
    latestNanos.set(System.nanoTime());
    for (ByteBuffer part : parts) {
      if (bytes.size() + part.remaining() > maxBytes) {
        subscription.cancel();
        whole.completeExceptionally(new IOException("the answer is longer than " + maxBytes + " bytes"));
        return;
      }
      byte[] chunk = new byte[part.remaining()];
      part.get(chunk);
      bytes.writeBytes(chunk);
    }
  }

  @Override
  public void onError(Throwable failure) {
    whole.completeExceptionally(failure);
  }

  @Override
  public void onComplete() {
    whole.complete(bytes.toByteArray());
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return whole;
  }
}
