package ai.valetts.interchange;

import java.util.Random;

/**
 * Where the rows of an embedding come from: each new row is a row of the old one, or made.
 *
 * @param sourceRows for each row the old one, or -1 for one that is made
 * @param likeMean whether a made row is the mean of the old ones, as a new speaker's is; else it is drawn, as a new
 *     symbol's is, with the deviation of the old ones
 * @param seed of the draw
 * @param reason what to say of it in the report
 */
record RowMap(int[] sourceRows, boolean likeMean, long seed, String reason) {

  /** Whether every row stays where it is and none is made or left out. */
  boolean isIdentity(long oldRows) {
    boolean same = sourceRows.length == oldRows;
    for (int i = 0; i < sourceRows.length; i++) {
      same &= sourceRows[i] == i;
    }
    return same;
  }

  float[] apply(float[] old, int width) {
    int oldRows = width == 0 ? 0 : old.length / width;
    double[] mean = new double[width];
    double square = 0;
    for (int i = 0; i < oldRows * width; i++) {
      mean[i % width] += (double) old[i] / oldRows;
      square += (double) old[i] * old[i] / old.length;
    }
    Random random = new Random(seed);
    float[] rows = new float[sourceRows.length * width];
    for (int row = 0; row < sourceRows.length; row++) {
      for (int i = 0; i < width; i++) {
        rows[row * width + i] =
            sourceRows[row] >= 0
                ? old[sourceRows[row] * width + i]
                : (float) (likeMean ? mean[i] : random.nextGaussian() * Math.sqrt(square));
      }
    }
    return rows;
  }
}
