package ai.valetts.event;

/**
 * A matrix to look at: time runs along the columns, row 0 is drawn at the bottom.
 *
 * @param tag TensorBoard tag
 * @param values {@code values[row * columns + column]}
 */
public record HeatMap(String tag, int rows, int columns, float[] values) {}
