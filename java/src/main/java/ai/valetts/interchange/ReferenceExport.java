package ai.valetts.interchange;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigWriter;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.text.SymbolTable;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a voice under the names of the public reference: a safetensors file that its {@code load_state_dict} takes, and
 * a {@code config.json} as its programs read it.
 */
public final class ReferenceExport {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final WeightTransfer.Side voice;
  private final Path checkpoint;
  private final ModelConfig model;

  /**
   * @param checkpoint folder with the weights
   * @param voice what they belong to
   * @throws CheckpointException if the reference has no such network
   */
  public ReferenceExport(Path checkpoint, WeightTransfer.Side voice) {
    this.checkpoint = checkpoint;
    this.voice = voice;
    this.model = voice.config().model().sized(voice.vocabularySize(), voice.speakerCount());
    if (!model.decoderKind().equals("hifigan")) {
      throw new CheckpointException(
          "The public reference has no decoder of the kind " + model.decoderKind()
              + ": only voices with model.decoder hifigan can be written for it.");
    }
  }

  /**
   * The generator that speaks (the running mean where the checkpoint has one) and its configuration.
   *
   * @param file safetensors file; {@code x.config.json} is written beside {@code x.safetensors}
   * @param withUnused also write, as zeros, what the reference saves but never uses, so that its strict loading finds
   *     every key
   * @return what was written
   * @throws CheckpointException if the weights are not those of the configuration
   */
  public List<Path> generator(Path file, boolean withUnused) throws IOException {
    String config = config();
    Path configFile = beside(file, ".config.json");
    write(
        file,
        Checkpoint.voiceWeights(checkpoint),
        ReferenceLayout.generator(model, WeightTransfer.bins(voice.config())),
        withUnused,
        Map.of("format", "pt", "config", config));
    Files.writeString(configFile, config + "\n");
    return List.of(file, configFile);
  }

  /** The discriminators that the checkpoint has, as {@code x.D.safetensors} and {@code x.DUR.safetensors}. */
  public List<Path> discriminators(Path file) throws IOException {
    List<Path> written = new ArrayList<>();
    if (Files.isRegularFile(checkpoint.resolve("discriminator.safetensors"))) {
      Path out = beside(file, ".D.safetensors");
      write(out, checkpoint.resolve("discriminator.safetensors"), ReferenceLayout.discriminator(model.discriminatorWidthDivisor()), false,
          Map.of("format", "pt"));
      written.add(out);
    }
    if (Files.isRegularFile(checkpoint.resolve("duration_discriminator.safetensors"))) {
      Path out = beside(file, ".DUR.safetensors");
      write(
          out,
          checkpoint.resolve("duration_discriminator.safetensors"),
          ReferenceLayout.durationDiscriminator(model.durationDiscriminator(), model.hiddenChannels()),
          false,
          Map.of("format", "pt"));
      written.add(out);
    }
    return written;
  }

  private static Path beside(Path file, String ending) {
    return file.resolveSibling(file.getFileName().toString().replaceFirst("\\.safetensors$", "") + ending);
  }

  private void write(
      Path file, Path source, List<ReferenceLayout.Key> keys, boolean withUnused, Map<String, String> metadata)
      throws IOException {
    try (TensorFile weights = TensorFile.open(source)) {
      List<SafetensorsWriter.Item> items = new ArrayList<>();
      for (ReferenceLayout.Key key : keys) {
        StoredTensor tensor = weights.tensors().get(key.name());
        if (key.dead()) {
          if (withUnused) {
            items.add(new SafetensorsWriter.Item(key.name(), key.shape(), () -> new float[count(key.shape())]));
          }
        } else if (tensor == null || !tensor.hasShape(key.shape())) {
          throw new CheckpointException(
              source + " does not belong to its configuration: " + key.name()
                  + (tensor == null ? " is missing." : " has another shape."));
        } else {
          items.add(new SafetensorsWriter.Item(key.name(), key.shape(), tensor::floats));
        }
      }
      SafetensorsWriter.write(file, items, metadata);
    }
  }

  private static int count(long[] shape) {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    return Math.toIntExact(count);
  }

  /** The reference's three sections, then what a reader of its own programs does not know and skips. */
  private String config() {
    ObjectNode root = JSON.createObjectNode();
    root.set("train", train());
    root.set("data", data());
    root.set("model", model());
    Map<String, Integer> speakerIds = new LinkedHashMap<>();
    for (int i = 0; i < voice.speakers().size(); i++) {
      speakerIds.put(voice.speakers().get(i), i);
    }
    root.set("speakers", JSON.valueToTree(speakerIds));
    root.set("symbols", JSON.valueToTree(voice.symbols().symbols()));
    ObjectNode own = root.putObject("valetts");
    own.put("config", ConfigWriter.write(voice.config()));
    own.set("symbols", voice.symbols().toJson());
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of plain values is JSON", e);
    }
  }

  private ObjectNode train() {
    OptimizerConfig optimizer = voice.config().optimizer();
    ObjectNode train = JSON.createObjectNode();
    train.put("seed", voice.config().training().seed());
    train.put("learning_rate", optimizer.learningRate());
    train.putArray("betas").add(optimizer.beta1()).add(optimizer.beta2());
    train.put("eps", optimizer.epsilon());
    train.put("batch_size", voice.config().data().batchSize());
    train.put("lr_decay", optimizer.learningRateDecay());
    train.put("segment_size", voice.config().training().segmentSamples());
    train.put("c_mel", optimizer.melWeight());
    train.put("c_kl", optimizer.klWeight());
    return train;
  }

  private ObjectNode data() {
    ObjectNode data = JSON.createObjectNode();
    data.put("use_mel_posterior_encoder", model.posteriorInput().equals("mel"));
    String reading = voice.symbols().reading() == null ? voice.symbols().kind() : voice.symbols().reading().text();
    data.putArray("text_cleaners").add(reading);
    data.put("max_wav_value", 32768.0);
    data.put("sampling_rate", voice.config().audio().sampleRateHz());
    data.put("filter_length", voice.config().audio().fftSize());
    data.put("hop_length", voice.config().audio().hopLength());
    data.put("win_length", voice.config().audio().winLength());
    data.put("n_mel_channels", voice.config().audio().melBins());
    data.put("mel_fmin", voice.config().audio().melMinHz());
    if (voice.config().audio().melMaxHz() == 0) {
      data.putNull("mel_fmax");
    } else {
      data.put("mel_fmax", voice.config().audio().melMaxHz());
    }
    data.put("add_blank", voice.config().text().addBlank());
    data.put("n_speakers", model.speakerCount() > 1 ? model.speakerCount() : 0);
    data.put("cleaned_text", false);
    return data;
  }

  private ObjectNode model() {
    ObjectNode out = JSON.createObjectNode();
    out.put("use_mel_posterior_encoder", model.posteriorInput().equals("mel"));
    out.put("use_transformer_flows", !model.flow().equals("plain"));
    out.put("transformer_flow_type", model.flow().equals("plain") ? "pre_conv" : model.flow());
    out.put("use_spk_conditioned_encoder", model.speakerConditionedEncoder() && model.speakerCount() > 1);
    out.put("use_noise_scaled_mas", model.noiseScaledAlignment());
    out.put("use_duration_discriminator", !model.durationDiscriminator().equals("none"));
    if (!model.durationDiscriminator().equals("none")) {
      out.put("duration_discriminator_type", model.durationDiscriminator().equals("v2") ? "dur_disc_2" : "dur_disc_1");
    }
    out.put("n_vocab", model.vocabularySize());
    out.put("inter_channels", model.interChannels());
    out.put("hidden_channels", model.hiddenChannels());
    out.put("filter_channels", model.filterChannels());
    out.put("n_heads", model.attentionHeads());
    out.put("n_layers", model.encoderLayers());
    out.put("kernel_size", model.encoderKernelSize());
    out.put("p_dropout", Double.parseDouble(Float.toString(model.dropout())));
    out.put("resblock", String.valueOf(model.resblockKind()));
    out.set("resblock_kernel_sizes", JSON.valueToTree(model.resblockKernelSizes()));
    out.set("resblock_dilation_sizes", JSON.valueToTree(model.resblockDilations()));
    out.set("upsample_rates", JSON.valueToTree(model.upsampleRates()));
    out.put("upsample_initial_channel", model.upsampleInitialChannels());
    out.set("upsample_kernel_sizes", JSON.valueToTree(model.upsampleKernelSizes()));
    out.put("n_layers_q", 3);
    out.put("use_spectral_norm", false);
    out.put("use_sdp", model.durationPredictor().equals("stochastic"));
    out.put("gin_channels", model.speakerCount() > 1 ? model.speakerChannels() : 0);
    return out;
  }
}
