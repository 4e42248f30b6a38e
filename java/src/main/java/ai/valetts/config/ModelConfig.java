package ai.valetts.config;

import java.util.List;

/**
 * Sizes of the networks (VITS2, arXiv:2307.16430; names of the public reference's {@code model} section).
 *
 * @param vocabularySize symbols the text encoder embeds; null takes the symbol table's size
 * @param speakerCount speakers; null takes the data's. One speaker has no embedding
 * @param speakerChannels width of the speaker embedding ({@code gin_channels})
 * @param speakerConditionedEncoder add the speaker before the third encoder layer; no effect with one speaker
 * @param posteriorInput {@code mel} (VITS2) or {@code linear} (VITS)
 * @param flow {@code plain} (VITS), {@code pre_conv} or {@code pre_conv2} (VITS2)
 * @param durationPredictor {@code stochastic} or {@code deterministic}
 * @param durationDiscriminator {@code none}, {@code v1} or {@code v2}
 * @param decoder {@code hifigan} or {@code bigvgan} (anti-aliased periodic activations, arXiv:2206.04658); null is
 *     {@code hifigan}
 * @param resblockKind HiFi-GAN residual block 1 or 2
 * @param upsampleRates transposed-convolution strides; their product equals {@code audio.hopLength}
 * @param discriminatorWidthDivisor divides every hidden width of the waveform discriminators; 1 is the published size
 */
public record ModelConfig(
    Integer vocabularySize,
    Integer speakerCount,
    int speakerChannels,
    String posteriorInput,
    int interChannels,
    int hiddenChannels,
    int filterChannels,
    int attentionHeads,
    int encoderLayers,
    int encoderKernelSize,
    float dropout,
    boolean speakerConditionedEncoder,
    int posteriorLayers,
    String flow,
    int flowCouplings,
    int flowLayers,
    String durationPredictor,
    String durationDiscriminator,
    boolean noiseScaledAlignment,
    @Nullable String decoder,
    int resblockKind,
    List<Integer> resblockKernelSizes,
    List<List<Integer>> resblockDilations,
    List<Integer> upsampleRates,
    List<Integer> upsampleKernelSizes,
    int upsampleInitialChannels,
    int discriminatorWidthDivisor) {

  /** {@code decoder}, or what null stands for. */
  public String decoderKind() {
    return decoder == null ? "hifigan" : decoder;
  }

  /** The same networks for that many symbols and speakers. */
  public ModelConfig sized(int symbols, int speakers) {
    return new ModelConfig(
        symbols,
        speakers,
        speakerChannels,
        posteriorInput,
        interChannels,
        hiddenChannels,
        filterChannels,
        attentionHeads,
        encoderLayers,
        encoderKernelSize,
        dropout,
        speakerConditionedEncoder,
        posteriorLayers,
        flow,
        flowCouplings,
        flowLayers,
        durationPredictor,
        durationDiscriminator,
        noiseScaledAlignment,
        decoder,
        resblockKind,
        resblockKernelSizes,
        resblockDilations,
        upsampleRates,
        upsampleKernelSizes,
        upsampleInitialChannels,
        discriminatorWidthDivisor);
  }
}
