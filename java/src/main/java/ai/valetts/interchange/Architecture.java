package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigOverride;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Tells from keys and shapes how a generator is built. What they cannot tell (rates, heads without relative positions,
 * dilations, the signal front end) comes from the settings beside the file, else from the published defaults, and is
 * then named among the assumptions.
 */
final class Architecture {
  private static final List<Integer> KIND_1_DILATIONS = List.of(1, 3, 5);
  private static final List<List<Integer>> KIND_2_DILATIONS = List.of(List.of(1, 2), List.of(2, 6), List.of(3, 12));

  private final String origin;
  private final Map<String, StoredTensor> tensors;
  private final PublicConfig config;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final List<String> assumptions = new ArrayList<>();
  private int spectrogramBins;

  /**
   * @param origin name of the file
   * @param tensors of the generator, under the reference's names
   * @throws CheckpointException if it is not a generator of this family, or of a kind that the core does not have
   */
  Architecture(String origin, Map<String, StoredTensor> tensors, PublicConfig config) {
    this.origin = origin;
    this.tensors = tensors;
    this.config = config;
    refuseOthers();
    readEncoders();
    readFlow();
    readDecoder();
    readAudio();
  }

  /** Keys of our configuration with their values. */
  List<ConfigOverride> overrides() {
    return values.entrySet().stream()
        .map(entry -> new ConfigOverride(entry.getKey(), entry.getValue(), origin))
        .toList();
  }

  /** What neither the weights nor their settings told, one sentence each. */
  List<String> assumptions() {
    return assumptions;
  }

  /** Channels of the posterior encoder's input. */
  int spectrogramBins() {
    return spectrogramBins;
  }

  int vocabularySize() {
    return (int) shape("enc_p.emb.weight", 0);
  }

  int speakerCount() {
    StoredTensor embedding = tensors.get("emb_g.weight");
    return embedding == null ? 1 : (int) embedding.size(0);
  }

  private void refuseOthers() {
    if (has("discriminators.0.convs.0.bias")) {
      throw new CheckpointException(origin + " holds discriminators, no generator: give it with --discriminator, and the"
          + " G_*.pth file first.");
    }
    if (has("dur_proj.weight")) {
      throw new CheckpointException(origin + " holds a duration discriminator, no generator: give it with"
          + " --duration-discriminator, and the G_*.pth file first.");
    }
    for (String needed : List.of("enc_p.emb.weight", "enc_p.proj.weight", "enc_q.pre.weight", "dec.conv_pre.weight",
        "flow.flows.0.pre.weight")) {
      if (!has(needed)) {
        String some = tensors.keySet().stream().limit(3).collect(Collectors.joining(", "));
        throw new CheckpointException(origin + " holds another model: VITS, VITS2 and Piper generators have " + needed
            + ", this file begins with " + some + ".");
      }
    }
    if (speakerCount() == 1 && has("emb_g.weight")) {
      throw new CheckpointException(origin + " has an embedding for one speaker, which no generator of this family has.");
    }
  }

  private void readEncoders() {
    long hidden = shape("enc_p.emb.weight", 1);
    put("model.hiddenChannels", hidden);
    put("model.interChannels", shape("enc_p.proj.weight", 0) / 2);
    put("model.filterChannels", shape("enc_p.encoder.ffn_layers.0.conv_1.weight", 0));
    put("model.encoderKernelSize", shape("enc_p.encoder.ffn_layers.0.conv_1.weight", 2));
    put("model.encoderLayers", count("enc_p.encoder.attn_layers.", ".conv_q.weight"));
    long perHead = Math.max(1, shape("enc_p.encoder.attn_layers.0.emb_rel_k", 2));
    put("model.attentionHeads", hidden / perHead);
    put("model.dropout", config.number("model.p_dropout", "p_dropout").orElse(0.1));
    put("model.posteriorLayers", count("enc_q.enc.in_layers.", ".weight_v"));
    put("model.durationPredictor", has("dp.flows.0.m") ? "stochastic" : "deterministic");
    put("model.speakerConditionedEncoder", has("enc_p.encoder.spk_emb_linear.weight"));
    if (speakerCount() > 1) {
      put("model.speakerChannels", shape("emb_g.weight", 1));
    }
    put("model.noiseScaledAlignment", config.flag("model.use_noise_scaled_mas").orElse(false));
  }

  private void readFlow() {
    String kind = "plain";
    if (has("flow.flows.0.enc.self_attn_layers.0.conv_q.weight")) {
      throw new CheckpointException(origin + " has a flow of the kind fft, which the core does not have; it reads plain"
          + " (VITS), pre_conv and pre_conv2.");
    }
    if (has("flow.flows.2.pre_transformer.attn_layers.0.conv_q.weight") && !has("flow.flows.2.pre.weight")) {
      throw new CheckpointException(origin + " has a flow of the kind mono_layer_inter_residual or"
          + " mono_layer_post_residual, which the core does not have; it reads plain (VITS), pre_conv and pre_conv2.");
    }
    if (has("flow.flows.0.pre_transformer.attn_layers.0.emb_rel_k")) {
      kind = "pre_conv2";
    } else if (has("flow.flows.0.pre_transformer.attn_layers.0.conv_q.weight")) {
      kind = "pre_conv";
    }
    put("model.flow", kind);
    put("model.flowCouplings", count("flow.flows.", ".pre.weight"));
    put("model.flowLayers", count("flow.flows.0.enc.in_layers.", ".weight_v"));
  }

  private void readDecoder() {
    put("model.upsampleInitialChannels", shape("dec.conv_pre.weight", 0));
    List<Integer> kernels = new ArrayList<>();
    for (int i = 0; has("dec.ups." + i + ".weight_v"); i++) {
      kernels.add((int) shape("dec.ups." + i + ".weight_v", 2));
    }
    int stages = Math.max(1, kernels.size());
    put("model.upsampleKernelSizes", kernels);
    List<Integer> rates = config.integers("model.upsample_rates", "upsample_rates")
        .filter(list -> list.size() == kernels.size())
        .orElseGet(() -> {
          List<Integer> halves = kernels.stream().map(kernel -> kernel / 2).toList();
          assumptions.add("upsampling rates are half of the kernel sizes: " + halves);
          return halves;
        });
    put("model.upsampleRates", rates);
    int kind = has("dec.resblocks.0.convs1.0.weight_v") ? 1 : 2;
    put("model.resblockKind", kind);
    String convs = kind == 1 ? ".convs1." : ".convs.";
    int blocks = (int) count("dec.resblocks.", convs + "0.weight_v") / stages;
    List<Integer> sizes = new ArrayList<>();
    List<List<Integer>> dilations = new ArrayList<>();
    for (int j = 0; j < blocks; j++) {
      String block = "dec.resblocks." + j + convs;
      sizes.add((int) shape(block + "0.weight_v", 2));
      int layers = (int) count(block, ".weight_v");
      dilations.add(kind == 1
          ? KIND_1_DILATIONS.subList(0, Math.min(layers, KIND_1_DILATIONS.size()))
          : KIND_2_DILATIONS.get(Math.min(j, KIND_2_DILATIONS.size() - 1)));
    }
    put("model.resblockKernelSizes", sizes);
    put("model.resblockDilations",
        config.integerLists("model.resblock_dilation_sizes", "resblock_dilation_sizes")
            .filter(list -> list.size() == sizes.size())
            .orElseGet(() -> {
              assumptions.add("dilations of the residual blocks are the published ones: " + dilations);
              return dilations;
            }));
    int hop = 1;
    for (int rate : rates) {
      hop *= Math.max(1, rate);
    }
    put("audio.hopLength", hop);
    int segment = config.integer("train.segment_size", "segment_size").orElse(32 * hop);
    put("training.segmentSamples", Math.max(hop, segment / hop * hop));
  }

  private void readAudio() {
    spectrogramBins = (int) shape("enc_q.pre.weight", 1);
    int melBins = config.integer("data.n_mel_channels", "mel_channels").orElse(80);
    boolean mel = spectrogramBins == melBins
        || config.flag("data.use_mel_posterior_encoder", "model.use_mel_posterior_encoder").orElse(false);
    put("model.posteriorInput", mel ? "mel" : "linear");
    put("audio.melBins", mel ? spectrogramBins : melBins);
    int fft = mel
        ? assumed("FFT size", 1024, config.integer("data.filter_length", "filter_length").orElse(null))
        : (spectrogramBins - 1) * 2;
    put("audio.fftSize", fft);
    put("audio.winLength",
        assumed("window", fft, config.integer("data.win_length", "win_length").orElse(null)));
    put("audio.sampleRateHz",
        assumed("sample rate", 22050,
            config.integer("data.sampling_rate", "audio.sample_rate", "sample_rate").orElse(null)));
    put("audio.melMinHz", config.number("data.mel_fmin", "mel_fmin").orElse(0.0));
    put("audio.melMaxHz", config.number("data.mel_fmax", "mel_fmax").orElse(0.0));
  }

  private int assumed(String what, int published, Integer told) {
    if (told == null) {
      assumptions.add(what + " is " + published);
      return published;
    }
    return told;
  }

  private boolean has(String name) {
    return tensors.containsKey(name);
  }

  private long shape(String name, int dimension) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null || dimension >= tensor.dimensions()) {
      throw new CheckpointException(origin + " holds another model: it has no " + name + " as VITS generators have it.");
    }
    return tensor.size(dimension);
  }

  /** How many numbers there are between the two texts. */
  private long count(String before, String after) {
    return tensors.keySet().stream()
        .filter(name -> name.startsWith(before) && name.endsWith(after) && name.length() > before.length() + after.length())
        .map(name -> name.substring(before.length(), name.length() - after.length()))
        .filter(middle -> middle.matches("[0-9]{1,4}"))
        .count();
  }

  private void put(String key, Object value) {
    values.put(key, value.toString());
  }
}
