package ai.valetts.training;

import ai.valetts.engine.Batch;

/** The clips kept out of training, always in the same order and the same batches. */
public interface HeldOut {

  int batchCount();

  /** One batch of the whole held-out set; the caller closes it. */
  Batch batch(int index);

  int clipCount();

  /** A batch with the one clip; the caller closes it. */
  Batch clip(int index);

  /** What the clip says. */
  String text(int index);
}
