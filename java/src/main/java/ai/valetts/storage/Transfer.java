package ai.valetts.storage;

import java.io.IOException;

/** Told of each piece that a transfer has moved; ends the transfer by throwing. */
public interface Transfer {
  /** Told nothing. */
  Transfer SILENT = bytes -> {};

  /** More bytes have gone through. */
  void moved(long bytes) throws IOException;
}
