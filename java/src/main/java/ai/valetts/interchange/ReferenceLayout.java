package ai.valetts.interchange;

import ai.valetts.config.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The state dicts of the public reference's networks: every key with its shape, in the order in which the reference
 * saves them. The native core uses the same names.
 */
final class ReferenceLayout {
  private static final int ATTENTION_WINDOW = 4;
  private static final int WAVENET_KERNEL = 5;
  private static final int DURATION_WIDTH = 256;
  private static final int SPLINE_OUTPUTS = 29;
  private static final int[] PERIOD_WIDTHS = {32, 128, 512, 1024, 1024};
  private static final int[][] SCALE_LAYERS = {
    // outputs, kernel, groups
    {16, 15, 1}, {64, 41, 4}, {256, 41, 16}, {1024, 41, 64}, {1024, 41, 256}, {1024, 5, 1}
  };
  private static final int PERIODS = 5;

  /**
   * One tensor.
   *
   * @param dead saved by the reference, but never used by it
   */
  record Key(String name, long[] shape, boolean dead) {}

  private final List<Key> keys = new ArrayList<>();
  private boolean dead;

  private ReferenceLayout() {}

  /**
   * The generator.
   *
   * @param model with its vocabulary and speaker count given
   * @param spectrogramBins channels of the posterior encoder's input
   */
  static List<Key> generator(ModelConfig model, int spectrogramBins) {
    ReferenceLayout layout = new ReferenceLayout();
    int speaker = model.speakerCount() > 1 ? model.speakerChannels() : 0;
    layout.textEncoder(model, speaker);
    layout.decoder(model, speaker);
    layout.posteriorEncoder(model, spectrogramBins, speaker);
    layout.flow(model, speaker);
    if (model.durationPredictor().equals("stochastic")) {
      layout.stochasticDurations(model.hiddenChannels(), speaker);
    } else {
      layout.deterministicDurations(model.hiddenChannels(), speaker);
    }
    if (speaker > 0) {
      layout.add("emb_g.weight", model.speakerCount(), speaker);
    }
    return layout.keys;
  }

  /** The waveform discriminators; every width is divided, as {@code model.discriminatorWidthDivisor} says. */
  static List<Key> discriminator(int widthDivisor) {
    ReferenceLayout layout = new ReferenceLayout();
    int inputs = 1;
    for (int i = 0; i < SCALE_LAYERS.length; i++) {
      int outputs = narrow(SCALE_LAYERS[i][0], widthDivisor);
      int groups = narrow(SCALE_LAYERS[i][2], widthDivisor);
      layout.normed("discriminators.0.convs." + i, outputs, outputs, inputs / groups, SCALE_LAYERS[i][1]);
      inputs = outputs;
    }
    layout.normed("discriminators.0.conv_post", 1, 1, inputs, 3);
    for (int d = 1; d <= PERIODS; d++) {
      inputs = 1;
      for (int i = 0; i < PERIOD_WIDTHS.length; i++) {
        int outputs = narrow(PERIOD_WIDTHS[i], widthDivisor);
        layout.normed("discriminators." + d + ".convs." + i, outputs, outputs, inputs, 5, 1);
        inputs = outputs;
      }
      layout.normed("discriminators." + d + ".conv_post", 1, 1, inputs, 3, 1);
    }
    return layout.keys;
  }

  /** The duration discriminator, {@code v1} or {@code v2}. */
  static List<Key> durationDiscriminator(String kind, int hidden) {
    ReferenceLayout layout = new ReferenceLayout();
    boolean second = kind.equals("v2");
    layout.conv("conv_1", hidden, hidden, 3);
    if (second) {
      layout.norm("norm_1", hidden);
    }
    layout.conv("conv_2", hidden, hidden, 3);
    if (second) {
      layout.norm("norm_2", hidden);
    }
    layout.conv("dur_proj", hidden, 1, 1);
    layout.conv("pre_out_conv_1", hidden, 2 * hidden, 3);
    layout.norm("pre_out_norm_1", hidden);
    layout.conv("pre_out_conv_2", hidden, hidden, 3);
    layout.norm("pre_out_norm_2", hidden);
    layout.add("output_layer.0.weight", 1, hidden);
    layout.add("output_layer.0.bias", 1);
    return layout.keys;
  }

  private static int narrow(int width, int divisor) {
    return Math.max(1, width / divisor);
  }

  private void textEncoder(ModelConfig model, int speaker) {
    int hidden = model.hiddenChannels();
    add("enc_p.emb.weight", model.vocabularySize(), hidden);
    transformer(
        "enc_p.encoder",
        hidden,
        model.filterChannels(),
        model.encoderLayers(),
        model.encoderKernelSize(),
        hidden / model.attentionHeads());
    if (speaker > 0 && model.speakerConditionedEncoder()) {
      add("enc_p.encoder.spk_emb_linear.weight", hidden, speaker);
      add("enc_p.encoder.spk_emb_linear.bias", hidden);
    }
    conv("enc_p.proj", 2 * model.interChannels(), hidden, 1);
  }

  /** @param windowWidth channels of a head, for relative positions; 0 for none */
  private void transformer(String name, int channels, int filter, int layers, int kernel, int windowWidth) {
    for (int i = 0; i < layers; i++) {
      String attention = name + ".attn_layers." + i;
      if (windowWidth > 0) {
        add(attention + ".emb_rel_k", 1, 2 * ATTENTION_WINDOW + 1, windowWidth);
        add(attention + ".emb_rel_v", 1, 2 * ATTENTION_WINDOW + 1, windowWidth);
      }
      for (String part : List.of("q", "k", "v", "o")) {
        conv(attention + ".conv_" + part, channels, channels, 1);
      }
    }
    for (int i = 0; i < layers; i++) {
      norm(name + ".norm_layers_1." + i, channels);
    }
    for (int i = 0; i < layers; i++) {
      conv(name + ".ffn_layers." + i + ".conv_1", filter, channels, kernel);
      conv(name + ".ffn_layers." + i + ".conv_2", channels, filter, kernel);
    }
    for (int i = 0; i < layers; i++) {
      norm(name + ".norm_layers_2." + i, channels);
    }
  }

  private void decoder(ModelConfig model, int speaker) {
    int channels = model.upsampleInitialChannels();
    conv("dec.conv_pre", channels, model.interChannels(), 7);
    int stages = model.upsampleKernelSizes().size();
    for (int i = 0; i < stages; i++) {
      int inputs = channels >> i;
      normedOver("dec.ups." + i, inputs / 2, inputs, inputs, inputs / 2, model.upsampleKernelSizes().get(i));
    }
    boolean periodic = model.decoderKind().equals("bigvgan");
    int kernels = model.resblockKernelSizes().size();
    for (int i = 0; i < stages; i++) {
      int width = channels >> i + 1;
      for (int j = 0; j < kernels; j++) {
        String block = "dec.resblocks." + (i * kernels + j);
        for (String convs : model.resblockKind() == 1 ? List.of("convs1", "convs2") : List.of("convs")) {
          for (int k = 0; k < model.resblockDilations().get(j).size(); k++) {
            normed(block + "." + convs + "." + k, width, width, width, model.resblockKernelSizes().get(j));
          }
        }
        if (periodic) {
          int activations = model.resblockDilations().get(j).size() * (model.resblockKind() == 1 ? 2 : 1);
          for (int k = 0; k < activations; k++) {
            snake(block + ".activations." + k, width);
          }
        }
      }
    }
    if (periodic) {
      snake("dec.activation_post", channels >> stages);
    }
    add("dec.conv_post.weight", 1, channels >> stages, 7);
    if (speaker > 0) {
      conv("dec.cond", channels, speaker, 1);
    }
  }

  private void snake(String name, int channels) {
    add(name + ".act.alpha", channels);
    add(name + ".act.beta", channels);
  }

  private void posteriorEncoder(ModelConfig model, int bins, int speaker) {
    conv("enc_q.pre", model.hiddenChannels(), bins, 1);
    waveNet("enc_q.enc", model.hiddenChannels(), model.posteriorLayers(), speaker);
    conv("enc_q.proj", 2 * model.interChannels(), model.hiddenChannels(), 1);
  }

  private void waveNet(String name, int hidden, int layers, int speaker) {
    for (int i = 0; i < layers; i++) {
      normed(name + ".in_layers." + i, 2 * hidden, 2 * hidden, hidden, WAVENET_KERNEL);
    }
    for (int i = 0; i < layers; i++) {
      int outputs = i < layers - 1 ? 2 * hidden : hidden;
      normed(name + ".res_skip_layers." + i, outputs, outputs, hidden, 1);
    }
    if (speaker > 0) {
      normed(name + ".cond_layer", 2 * hidden * layers, 2 * hidden * layers, speaker, 1);
    }
  }

  private void flow(ModelConfig model, int speaker) {
    int half = model.interChannels() / 2;
    int hidden = model.hiddenChannels();
    for (int i = 0; i < model.flowCouplings(); i++) {
      String flow = "flow.flows." + 2 * i;
      if (model.flow().equals("pre_conv")) {
        transformer(flow + ".pre_transformer", half, half, 2, 3, 0);
      }
      conv(flow + ".pre", hidden, half, 1);
      if (model.flow().equals("pre_conv2")) {
        transformer(flow + ".pre_transformer", hidden, hidden, 1, WAVENET_KERNEL, hidden / 2);
      }
      waveNet(flow + ".enc", hidden, model.flowLayers(), speaker);
      if (model.flow().equals("pre_conv")) {
        dead = true;
        transformer(flow + ".post_transformer", hidden, hidden, 2, 3, 0);
        dead = false;
      }
      conv(flow + ".post", half, hidden, 1);
    }
  }

  private void deterministicDurations(int hidden, int speaker) {
    conv("dp.conv_1", DURATION_WIDTH, hidden, 3);
    norm("dp.norm_1", DURATION_WIDTH);
    conv("dp.conv_2", DURATION_WIDTH, DURATION_WIDTH, 3);
    norm("dp.norm_2", DURATION_WIDTH);
    conv("dp.proj", 1, DURATION_WIDTH, 1);
    if (speaker > 0) {
      conv("dp.cond", hidden, speaker, 1);
    }
  }

  private void stochasticDurations(int hidden, int speaker) {
    splineFlows("dp.flows", hidden);
    conv("dp.post_pre", hidden, 1, 1);
    conv("dp.post_proj", hidden, hidden, 1);
    separableConvs("dp.post_convs", hidden);
    splineFlows("dp.post_flows", hidden);
    conv("dp.pre", hidden, hidden, 1);
    conv("dp.proj", hidden, hidden, 1);
    separableConvs("dp.convs", hidden);
    if (speaker > 0) {
      conv("dp.cond", hidden, speaker, 1);
    }
  }

  private void splineFlows(String name, int hidden) {
    add(name + ".0.m", 2, 1);
    add(name + ".0.logs", 2, 1);
    for (int i = 1; i <= 7; i += 2) {
      conv(name + "." + i + ".pre", hidden, 1, 1);
      separableConvs(name + "." + i + ".convs", hidden);
      conv(name + "." + i + ".proj", SPLINE_OUTPUTS, hidden, 1);
    }
  }

  private void separableConvs(String name, int hidden) {
    for (int i = 0; i < 3; i++) {
      conv(name + ".convs_sep." + i, hidden, 1, 3);
    }
    for (int i = 0; i < 3; i++) {
      conv(name + ".convs_1x1." + i, hidden, hidden, 1);
    }
    for (String norms : List.of(".norms_1.", ".norms_2.")) {
      for (int i = 0; i < 3; i++) {
        norm(name + norms + i, hidden);
      }
    }
  }

  private void conv(String name, long outputs, long inputs, long kernel) {
    add(name + ".weight", outputs, inputs, kernel);
    add(name + ".bias", outputs);
  }

  private void norm(String name, long channels) {
    add(name + ".gamma", channels);
    add(name + ".beta", channels);
  }

  /** Weight norm over the first dimension of the direction, as everywhere but in transposed convolutions. */
  private void normed(String name, long biases, long... direction) {
    normedOver(name, biases, direction[0], direction);
  }

  private void normedOver(String name, long biases, long norms, long... direction) {
    long[] norm = new long[direction.length];
    Arrays.fill(norm, 1);
    norm[0] = norms;
    add(name + ".bias", biases);
    add(name + ".weight_g", norm);
    add(name + ".weight_v", direction);
  }

  private void add(String name, long... shape) {
    keys.add(new Key(name, shape, dead));
  }
}
