package ai.valetts.engine.jni;

import ai.valetts.engine.Conversion;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;

/** A {@code vt_voice}. Calls are serialised. */
final class NativeVoice implements Voice {
  private final NativeHandle<CoreBinding.Speech> handle;

  /** Takes over the voice. */
  NativeVoice(String name, CoreBinding.Speech voice) {
    handle = new NativeHandle<>(name, voice, CoreBinding::vt_voice_destroy);
  }

  @Override
  public float[] synthesize(Utterance utterance) {
    return handle.call(
        voice -> {
          try (IntPointer tokenIds = new IntPointer(utterance.tokenIds());
              CoreBinding.UtteranceView view = new CoreBinding.UtteranceView()) {
            view.token_ids(tokenIds)
                .token_count(utterance.tokenIds().length)
                .speaker_id(utterance.speakerId())
                .noise_scale(utterance.noiseScale())
                .duration_noise_scale(utterance.durationNoiseScale())
                .length_scale(utterance.lengthScale())
                .seed(utterance.seed());
            CoreBinding.Audio audio = new CoreBinding.Audio();
            CoreBinding.check(CoreBinding.vt_voice_synthesize(voice, view, audio));
            return copyAndDestroy(audio);
          }
        });
  }

  @Override
  public float[] convert(Conversion conversion) {
    return handle.call(
        voice -> {
          try (FloatPointer samples = new FloatPointer(conversion.samples());
              CoreBinding.ConversionView view = new CoreBinding.ConversionView()) {
            view.samples_N(samples)
                .sample_count(conversion.samples().length)
                .source_speaker_id(conversion.sourceSpeakerId())
                .target_speaker_id(conversion.targetSpeakerId())
                .seed(conversion.seed());
            CoreBinding.Audio audio = new CoreBinding.Audio();
            CoreBinding.check(CoreBinding.vt_voice_convert(voice, view, audio));
            return copyAndDestroy(audio);
          }
        });
  }

  private static float[] copyAndDestroy(CoreBinding.Audio audio) {
    try {
      float[] samples = new float[Math.toIntExact(CoreBinding.vt_audio_sample_count(audio))];
      CoreBinding.check(CoreBinding.vt_audio_copy(audio, samples, samples.length));
      return samples;
    } finally {
      CoreBinding.vt_audio_destroy(audio);
    }
  }

  @Override
  public void close() {
    handle.close();
  }
}
