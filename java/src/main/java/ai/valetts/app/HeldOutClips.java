package ai.valetts.app;

import ai.valetts.data.BatchAssembler;
import ai.valetts.data.Clip;
import ai.valetts.engine.Batch;
import ai.valetts.training.HeldOut;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The validation clips, batched by length so that little is padding. */
final class HeldOutClips implements HeldOut {
  /** Whole utterances are decoded, not segments: large training batches would not fit. */
  private static final int MAX_BATCH = 8;

  private final List<Clip> clips;
  private final List<List<Clip>> batches = new ArrayList<>();
  private final BatchAssembler assembler;

  HeldOutClips(List<Clip> clips, BatchAssembler assembler, int batchSize) {
    this.clips = clips;
    this.assembler = assembler;
    List<Clip> byLength = new ArrayList<>(clips);
    byLength.sort(Comparator.comparingInt(Clip::samples).thenComparingLong(Clip::id));
    int size = Math.min(batchSize, MAX_BATCH);
    for (int start = 0; start < byLength.size(); start += size) {
      batches.add(byLength.subList(start, Math.min(start + size, byLength.size())));
    }
  }

  @Override
  public int batchCount() {
    return batches.size();
  }

  @Override
  public Batch batch(int index) {
    return assembler.assemble(batches.get(index));
  }

  @Override
  public int clipCount() {
    return clips.size();
  }

  @Override
  public Batch clip(int index) {
    return assembler.assemble(List.of(clips.get(index)));
  }

  @Override
  public String text(int index) {
    return clips.get(index).text();
  }
}
