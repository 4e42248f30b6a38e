package ai.valetts.engine.jni;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.InvalidEngineArgumentException;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.bytedeco.javacpp.BytePointer;

/** Writes a configuration into the core's structs. Ranges are the core's to check; what has no place there is refused. */
final class SessionSettingsWriter {
  /** Positions are the values of the header's enums. */
  static final List<String> SPECTROGRAMS = List.of("mel", "linear");

  static final List<String> FLOWS = List.of("plain", "pre_conv", "pre_conv2");
  private static final List<String> DURATION_PREDICTORS = List.of("deterministic", "stochastic");
  static final List<String> DURATION_DISCRIMINATORS = List.of("none", "v1", "v2");

  static final List<String> DECODERS = List.of("hifigan", "bigvgan");

  static final List<String> PRECISIONS = List.of("fp32", "tf32", "bf16", "fp16", "fp64");

  static final int MAX_UPSAMPLES = 8;
  static final int MAX_RESBLOCK_KERNELS = 8;
  static final int MAX_DILATIONS = 8;

  private SessionSettingsWriter() {}

  /**
   * @param device stays the caller's and must outlive the settings' use
   * @throws InvalidEngineArgumentException naming the key
   */
  static void write(EngineConfig config, CoreBinding.SessionSettings to, BytePointer device) {
    write(config.audio(), to.audio());
    write(config, config.model(), to.model());
    write(config.optimizer(), to.optimizer());
    to.segment_samples(config.segmentSamples())
        .threads(config.threads())
        .seed(config.seed())
        .device(device)
        .precision(precision("training.precision", config.precision()))
        .reference_padding(bool(config.referencePadding()));
  }

  static int precision(String key, String name) {
    return indexOf(key, name, PRECISIONS);
  }

  static void write(AudioConfig audio, CoreBinding.AudioSettings to) {
    to.sample_rate_hz(audio.sampleRateHz())
        .fft_size(audio.fftSize())
        .hop_length(audio.hopLength())
        .win_length(audio.winLength())
        .mel_bins(audio.melBins())
        .mel_min_hz(audio.melMinHz())
        .mel_max_hz(audio.melMaxHz());
  }

  private static void write(EngineConfig config, ModelConfig model, CoreBinding.ModelSettings to) {
    to.vocabulary_size(config.vocabularySize())
        .speaker_count(config.speakerCount())
        .speaker_channels(model.speakerChannels())
        .posterior_input(indexOf("model.posteriorInput", model.posteriorInput(), SPECTROGRAMS))
        .inter_channels(model.interChannels())
        .hidden_channels(model.hiddenChannels())
        .filter_channels(model.filterChannels())
        .attention_heads(model.attentionHeads())
        .encoder_layers(model.encoderLayers())
        .encoder_kernel_size(model.encoderKernelSize())
        .dropout(model.dropout())
        // One speaker has no embedding that the encoder could be conditioned on; the core takes that for a mistake.
        .speaker_conditioned_encoder(bool(model.speakerConditionedEncoder() && config.speakerCount() > 1))
        .posterior_layers(model.posteriorLayers())
        .flow_kind(indexOf("model.flow", model.flow(), FLOWS))
        .flow_couplings(model.flowCouplings())
        .flow_layers(model.flowLayers())
        .stochastic_duration_predictor(
            indexOf("model.durationPredictor", model.durationPredictor(), DURATION_PREDICTORS))
        .duration_discriminator(
            indexOf("model.durationDiscriminator", model.durationDiscriminator(), DURATION_DISCRIMINATORS))
        .noise_scaled_alignment(bool(model.noiseScaledAlignment()))
        .decoder_kind(indexOf("model.decoder", model.decoderKind(), DECODERS))
        .resblock_kind(model.resblockKind())
        .upsample_initial_channels(model.upsampleInitialChannels())
        .discriminator_width_divisor(model.discriminatorWidthDivisor());

    to.resblock_kernel_count(
        writeList("model.resblockKernelSizes", model.resblockKernelSizes(), MAX_RESBLOCK_KERNELS,
            (value, i) -> to.resblock_kernel_sizes(i, value)));
    to.resblock_dilation_count(writeDilations(model, to));
    int rates =
        writeList("model.upsampleRates", model.upsampleRates(), MAX_UPSAMPLES,
            (value, i) -> to.upsample_rates(i, value));
    int kernels =
        writeList("model.upsampleKernelSizes", model.upsampleKernelSizes(), MAX_UPSAMPLES,
            (value, i) -> to.upsample_kernel_sizes(i, value));
    if (rates != kernels) {
      throw new InvalidEngineArgumentException(
          "model.upsampleKernelSizes has " + kernels + " entries, must have one per entry of model.upsampleRates ("
              + rates + ")");
    }
    to.upsample_count(rates);
  }

  private static int writeDilations(ModelConfig model, CoreBinding.ModelSettings to) {
    List<List<Integer>> dilations = model.resblockDilations();
    if (dilations.size() != model.resblockKernelSizes().size()) {
      throw new InvalidEngineArgumentException(
          "model.resblockDilations has " + dilations.size()
              + " lists, must have one per entry of model.resblockKernelSizes (" + model.resblockKernelSizes().size()
              + ")");
    }
    int count = dilations.isEmpty() ? 0 : dilations.get(0).size();
    for (int kernel = 0; kernel < dilations.size(); kernel++) {
      int row = kernel * MAX_DILATIONS;
      int written =
          writeList("model.resblockDilations[" + kernel + "]", dilations.get(kernel), MAX_DILATIONS,
              (value, i) -> to.resblock_dilations(row + i, value));
      if (written != count) {
        throw new InvalidEngineArgumentException(
            "model.resblockDilations[" + kernel + "] has " + written + " entries, must have as many as the first ("
                + count + ")");
      }
    }
    return count;
  }

  private static void write(OptimizerConfig optimizer, CoreBinding.OptimizerSettings to) {
    to.beta1(optimizer.beta1())
        .beta2(optimizer.beta2())
        .epsilon(optimizer.epsilon())
        .weight_decay(optimizer.weightDecay())
        .average_decay(optimizer.averageDecay() == null ? 0 : optimizer.averageDecay());
  }

  private static int writeList(String key, List<Integer> values, int capacity, ObjIntConsumer<Integer> setter) {
    if (values.size() > capacity) {
      throw new InvalidEngineArgumentException(
          key + " has " + values.size() + " entries, the core takes at most " + capacity);
    }
    for (int i = 0; i < values.size(); i++) {
      setter.accept(values.get(i), i);
    }
    return values.size();
  }

  private static int indexOf(String key, String value, List<String> names) {
    int index = names.indexOf(value);
    if (index < 0) {
      throw new InvalidEngineArgumentException(key + " is '" + value + "', must be one of " + String.join(", ", names));
    }
    return index;
  }

  private static int bool(boolean value) {
    return value ? 1 : 0;
  }
}
