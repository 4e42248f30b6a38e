package ai.valetts.monitor;

import ai.valetts.event.HeatMap;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Draws a matrix as a PNG with a palette that runs dark blue, green, yellow as the values rise (anchors of viridis).
 * The least value is darkest, the greatest lightest; row 0 is at the bottom, as pitch and tokens are usually drawn.
 * Written without AWT, so that a runtime without a desktop module can draw it.
 */
final class HeatMapPng {
  private static final int[] VIRIDIS = {
    0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725
  };
  private static final byte[] PALETTE = palette();
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int COLOURS = 256;
  private static final int MIN_HEIGHT = 160;
  private static final int MAX_WIDTH = 1600;

  private final int width;
  private final int height;
  private final byte[] bytes;

  /** Draws at once; small matrices are enlarged by a whole factor. An empty one becomes a single dark pixel. */
  HeatMapPng(HeatMap map) {
    boolean empty = map.rows() == 0 || map.columns() == 0;
    int rows = empty ? 1 : map.rows();
    int columns = empty ? 1 : map.columns();
    float[] values = empty ? new float[1] : map.values();
    int scale = Math.max(1, Math.min((MIN_HEIGHT + rows - 1) / rows, MAX_WIDTH / columns));
    this.width = columns * scale;
    this.height = rows * scale;
    byte[] header = ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 3, 0, 0, 0}).array();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.writeBytes(SIGNATURE);
    chunk(png, "IHDR", header);
    chunk(png, "PLTE", PALETTE);
    chunk(png, "IDAT", deflate(scanlines(values, rows, columns, scale)));
    chunk(png, "IEND", new byte[0]);
    this.bytes = png.toByteArray();
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  byte[] bytes() {
    return bytes;
  }

  private static byte[] scanlines(float[] values, int rows, int columns, int scale) {
    float least = Float.POSITIVE_INFINITY;
    float greatest = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      if (Float.isFinite(value)) {
        least = Math.min(least, value);
        greatest = Math.max(greatest, value);
      }
    }
    float range = greatest > least ? greatest - least : 1;
    int lineBytes = 1 + columns * scale;
    byte[] lines = new byte[rows * scale * lineBytes];
    for (int y = 0; y < rows * scale; y++) {
      int row = rows - 1 - y / scale;
      for (int x = 0; x < columns * scale; x++) {
        float value = values[row * columns + x / scale];
        int colour = Float.isFinite(value) ? Math.round((value - least) / range * (COLOURS - 1)) : 0;
        lines[y * lineBytes + 1 + x] = (byte) colour;
      }
    }
    return lines;
  }

  private static byte[] deflate(byte[] data) {
    Deflater deflater = new Deflater();
    try {
      deflater.setInput(data);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }

  private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    png.writeBytes(name);
    png.writeBytes(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  private static byte[] palette() {
    byte[] palette = new byte[COLOURS * 3];
    for (int i = 0; i < COLOURS; i++) {
      double place = (double) i / (COLOURS - 1) * (VIRIDIS.length - 1);
      int lower = Math.min((int) place, VIRIDIS.length - 2);
      for (int channel = 0; channel < 3; channel++) {
        int shift = 16 - 8 * channel;
        int from = VIRIDIS[lower] >> shift & 0xff;
        int to = VIRIDIS[lower + 1] >> shift & 0xff;
        palette[3 * i + channel] = (byte) Math.round(from + (place - lower) * (to - from));
      }
    }
    return palette;
  }
}
