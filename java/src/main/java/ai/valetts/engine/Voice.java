package ai.valetts.engine;

/** A generator ready to speak. One thread at a time. */
public interface Voice extends AutoCloseable {

  /** Audio in -1..1 at the config's sample rate. */
  float[] synthesize(Utterance utterance);

  /** The recording's words in the target speaker's voice (VITS, section 2.5). */
  float[] convert(Conversion conversion);

  @Override
  void close();
}
