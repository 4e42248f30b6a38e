package ai.valetts.monitor;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.zip.CRC32C;

/**
 * Writes one TensorBoard event file: records of length, masked CRC-32C, an {@code Event} message, masked CRC-32C (the
 * framing of TFRecord). Needs the JDK only. One thread; flushes itself every few seconds.
 */
final class TensorBoardWriter implements AutoCloseable {
  private static final Duration FLUSH_EVERY = Duration.ofSeconds(3);
  private static final int CRC_MASK = 0xa282ead8;

  // Fields of tensorflow.Event, .Summary.Value, .SessionLog and .TensorProto.
  private static final int EVENT_WALL_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_FILE_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  private static final int EVENT_SESSION_LOG = 7;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE = 2;
  private static final int VALUE_IMAGE = 4;
  private static final int VALUE_HISTOGRAM = 5;
  private static final int VALUE_AUDIO = 6;
  private static final int VALUE_TENSOR = 8;
  private static final int VALUE_METADATA = 9;
  private static final int SESSION_START = 1;
  private static final int COLOURS_RGB = 3;
  private static final int TENSOR_OF_STRINGS = 7;
  private static final int DATA_CLASS_TENSOR = 2;

  private final OutputStream out;
  private final Clock clock;
  private long flushedMillis;

  /**
   * Opens a new file in the directory; a run has one for each time it was started.
   */
  TensorBoardWriter(Path directory, Clock clock) throws IOException {
    this.clock = clock;
    this.flushedMillis = clock.millis();
    Files.createDirectories(directory);
    this.out = new BufferedOutputStream(newFile(directory, clock));
    write(event().text(EVENT_FILE_VERSION, "brain.Event:2"));
  }

  /** Tells TensorBoard that what other files hold of this step and those after it is out of date. */
  void sessionStart(long step) throws IOException {
    ProtobufMessage log = new ProtobufMessage().integer(1, SESSION_START);
    write(event().integer(EVENT_STEP, step).message(EVENT_SESSION_LOG, log));
  }

  void scalar(String tag, double value, long step) throws IOException {
    writeValue(step, value(tag).real(VALUE_SIMPLE, (float) value));
  }

  void histogram(String tag, Histogram histogram, long step) throws IOException {
    ProtobufMessage message =
        new ProtobufMessage()
            .real(1, histogram.least())
            .real(2, histogram.greatest())
            .real(3, (double) histogram.count())
            .real(4, histogram.sum())
            .real(5, histogram.sumOfSquares())
            .reals(6, histogram.upperEdges())
            .reals(7, histogram.counts());
    writeValue(step, value(tag).message(VALUE_HISTOGRAM, message));
  }

  void png(String tag, byte[] png, int width, int height, long step) throws IOException {
    ProtobufMessage image =
        new ProtobufMessage().integer(1, height).integer(2, width).integer(3, COLOURS_RGB).bytes(4, png);
    writeValue(step, value(tag).message(VALUE_IMAGE, image));
  }

  void wav(String tag, byte[] wav, int sampleRateHz, int samples, long step) throws IOException {
    ProtobufMessage audio =
        new ProtobufMessage()
            .real(1, (float) sampleRateHz)
            .integer(2, 1)
            .integer(3, samples)
            .bytes(4, wav)
            .text(5, "audio/wav");
    writeValue(step, value(tag).message(VALUE_AUDIO, audio));
  }

  void text(String tag, String markdown, long step) throws IOException {
    ProtobufMessage shape = new ProtobufMessage().message(2, new ProtobufMessage().integer(1, 1));
    ProtobufMessage tensor =
        new ProtobufMessage().integer(1, TENSOR_OF_STRINGS).message(2, shape).text(8, markdown);
    ProtobufMessage metadata =
        new ProtobufMessage()
            .message(1, new ProtobufMessage().text(1, "text"))
            .integer(4, DATA_CLASS_TENSOR);
    writeValue(step, value(tag).message(VALUE_TENSOR, tensor).message(VALUE_METADATA, metadata));
  }

  void flush() throws IOException {
    out.flush();
    flushedMillis = clock.millis();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private static ProtobufMessage value(String tag) {
    return new ProtobufMessage().text(VALUE_TAG, tag);
  }

  private ProtobufMessage event() {
    return new ProtobufMessage().real(EVENT_WALL_TIME, clock.millis() / 1e3);
  }

  private void writeValue(long step, ProtobufMessage value) throws IOException {
    ProtobufMessage summary = new ProtobufMessage().message(SUMMARY_VALUE, value);
    write(event().integer(EVENT_STEP, step).message(EVENT_SUMMARY, summary));
  }

  private void write(ProtobufMessage event) throws IOException {
    byte[] data = event.toBytes();
    byte[] length =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(data.length).array();
    out.write(length);
    out.write(maskedCrc(length));
    out.write(data);
    out.write(maskedCrc(data));
    if (clock.millis() - flushedMillis >= FLUSH_EVERY.toMillis()) {
      flush();
    }
  }

  private static byte[] maskedCrc(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data);
    int value = Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private static OutputStream newFile(Path directory, Clock clock) throws IOException {
    String stem = "events.out.tfevents.%010d.%s.%d".formatted(
        clock.millis() / 1000, hostName(), ProcessHandle.current().pid());
    for (int i = 0; ; i++) {
      Path file = directory.resolve(stem + "." + i);
      if (!Files.exists(file)) {
        return Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
      }
    }
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName().replaceAll("[^A-Za-z0-9-]", "-");
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
