package ai.valetts.data;

import ai.valetts.audio.CompressedFixtures;
import ai.valetts.audio.WavFixtures;
import ai.valetts.config.DataConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.ffmpeg.global.avutil;

/** Makes corpora in every format, with damage of every kind. */
final class CorpusFixtures {
  static final int RATE_HZ = 16000;

  /** A format as it is published; {@code configured} is what the configuration calls it. */
  enum Format {
    LJSPEECH("ljspeech", false),
    LJSPEECH_NORMALIZED("ljspeech", false),
    VCTK("vctk", true),
    VCTK_OLD("vctk", true),
    COMMON_VOICE("common_voice", true),
    PIPER("piper", true),
    VITS("vits", false),
    VITS_SPEAKERS("vits", true),
    COQUI("coqui", true),
    VALETTS("valetts", true),
    TABLE_CSV("table", true),
    TABLE_TSV("table", true),
    TABLE_JSONL("table", true);

    final String configured;
    final boolean hasSpeakers;

    Format(String configured, boolean hasSpeakers) {
      this.configured = configured;
      this.hasSpeakers = hasSpeakers;
    }

    boolean isTable() {
      return this == TABLE_CSV || this == TABLE_TSV || this == TABLE_JSONL;
    }

    boolean isVctk() {
      return this == VCTK || this == VCTK_OLD;
    }

    /** Whether quotation marks quote fields. */
    boolean quotes() {
      return this == COQUI || this == VALETTS || this == TABLE_CSV;
    }

    boolean isTabbed() {
      return this == COMMON_VOICE || this == TABLE_TSV;
    }

    /** What a configuration says of such a corpus. */
    DataConfig.Source source(Path folder, String stated) {
      DataConfig.Columns columns =
          isTable() ? new DataConfig.Columns("file", "words", "who", "tongue", null, null) : null;
      String metadata = isTable() ? "list." + name().substring(6).toLowerCase(java.util.Locale.ROOT) : null;
      return new DataConfig.Source(folder.toString(), null, null, stated, metadata, columns);
    }
  }

  /** What is wrong with a row or its recording. */
  enum Damage {
    NONE,
    MISSING,
    EMPTY,
    TRUNCATED,
    WRONG_EXTENSION,
    STEREO,
    RATE_96_KHZ,
    DC_OFFSET,
    CLIPPED,
    SILENCE,
    SECONDS_60,
    SECONDS_0_05,
    WRONG_ENCODING,
    BYTE_ORDER_MARK,
    WINDOWS_LINE_END,
    QUOTES,
    TAB,
    DUPLICATE_ID,
    UNKNOWN_SPEAKER,
    EMPTY_TEXT,
    EMOJI
  }

  /** One row. */
  record Utterance(String name, String speaker, String text, Damage damage) {}

  private final Format format;
  private final Path folder;
  private final Map<Path, List<byte[]>> lines = new LinkedHashMap<>();
  private int voices;

  private CorpusFixtures(Format format, Path folder) {
    this.format = format;
    this.folder = folder;
  }

  /** The damage that a format can have. */
  static List<Damage> possible(Format format) {
    List<Damage> possible = new ArrayList<>(Arrays.asList(Damage.values()));
    if (!format.hasSpeakers || format.isVctk()) {
      possible.remove(Damage.UNKNOWN_SPEAKER);
    }
    if (format.isVctk()) {
      // A folder cannot hold two files of one name.
      possible.remove(Damage.DUPLICATE_ID);
    }
    if (format == Format.VCTK) {
      // The encoder of these fixtures is mono.
      possible.removeAll(Set.of(Damage.STEREO, Damage.WRONG_EXTENSION));
    }
    return possible;
  }

  /** One row of each damage, byte order mark first, with sound rows between; three speakers take turns. */
  static List<Utterance> damaged(Format format) {
    List<Damage> damages = possible(format);
    damages.remove(Damage.BYTE_ORDER_MARK);
    damages.add(0, Damage.BYTE_ORDER_MARK);
    List<Utterance> utterances = new ArrayList<>();
    for (int i = 0; i < damages.size(); i++) {
      Damage damage = damages.get(i);
      String speaker = damage == Damage.UNKNOWN_SPEAKER ? "nan" : "spk" + (i % 3);
      String text =
          switch (damage) {
            case EMPTY_TEXT -> "";
            case EMOJI -> "hello \ud83d\ude00 friend";
            case TAB -> "some\ttabbed words";
            case QUOTES -> "\"he said stop";
            case WRONG_ENCODING -> "não é utf";
            case SECONDS_60 -> "a very long one";
            default -> "words about " + damage.name().toLowerCase(java.util.Locale.ROOT).replaceAll("[0-9_]", " ");
          };
      String name = damage == Damage.DUPLICATE_ID ? "sound1" : "clip" + (char) ('a' + i / 10) + (char) ('a' + i % 10);
      utterances.add(new Utterance(name, speaker, text, damage));
    }
    for (int i = 0; i < 6; i++) {
      String text = "a sound row number " + "abcdef".charAt(i);
      utterances.add(2 * i + 1, new Utterance("sound" + i, "spk" + (i % 3), text, Damage.NONE));
    }
    // The duplicate follows the row whose name it has, with the same speaker.
    utterances.stream()
        .filter(utterance -> utterance.damage == Damage.DUPLICATE_ID)
        .findFirst()
        .ifPresent(
            duplicate -> {
              utterances.remove(duplicate);
              utterances.add(new Utterance("sound1", "spk1", duplicate.text, Damage.DUPLICATE_ID));
            });
    return utterances;
  }

  /**
   * Writes a corpus.
   *
   * @return where each utterance stands, as {@code file:line} with the file relative to the folder
   */
  static List<String> write(Format format, Path folder, List<Utterance> utterances) throws IOException {
    return new CorpusFixtures(format, folder).write(utterances);
  }

  private List<String> write(List<Utterance> utterances) throws IOException {
    List<String> places = new ArrayList<>();
    String header = header();
    if (header != null) {
      add(metadata(utterances.get(0)), header, Damage.NONE);
    }
    for (Utterance utterance : utterances) {
      if (utterance.damage != Damage.DUPLICATE_ID) {
        writeAudio(utterance);
      }
      Path metadata = metadata(utterance);
      add(metadata, row(utterance), utterance.damage);
      places.add(folder.relativize(metadata) + ":" + lines.get(metadata).size());
    }
    boolean marks = utterances.stream().anyMatch(utterance -> utterance.damage == Damage.BYTE_ORDER_MARK);
    for (Map.Entry<Path, List<byte[]>> file : lines.entrySet()) {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      boolean marked = format.isVctk() ? file.getKey().toString().contains("clipaa") : true;
      if (marks && marked) {
        content.write(new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf});
      }
      for (byte[] line : file.getValue()) {
        content.write(line);
      }
      Files.createDirectories(file.getKey().getParent());
      Files.write(file.getKey(), content.toByteArray());
    }
    return places;
  }

  private void add(Path file, String line, Damage damage) {
    Charset charset = damage == Damage.WRONG_ENCODING ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8;
    String end = damage == Damage.WINDOWS_LINE_END ? "\r\n" : "\n";
    lines.computeIfAbsent(file, any -> new ArrayList<>()).add((line + end).getBytes(charset));
  }

  private Path metadata(Utterance utterance) {
    return folder.resolve(
        switch (format) {
          case LJSPEECH, LJSPEECH_NORMALIZED, PIPER -> "metadata.csv";
          case VCTK, VCTK_OLD -> "txt/" + utterance.speaker + "/" + utterance.name + ".txt";
          case COMMON_VOICE -> "validated.tsv";
          case VITS, VITS_SPEAKERS -> "filelists/own_train_filelist.txt";
          case COQUI, VALETTS -> "corpus.csv";
          case TABLE_CSV -> "list.csv";
          case TABLE_TSV -> "list.tsv";
          case TABLE_JSONL -> "list.jsonl";
        });
  }

  private String header() {
    return switch (format) {
      case COMMON_VOICE ->
          "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\tlocale\tsegment";
      case COQUI -> "audio_file|text|speaker_name|emotion_name";
      case VALETTS ->
          "audio_path,speaker_id,text,text_normalized,phonemes,duration,locale,emotion";
      case TABLE_CSV -> "number,file,who,words,tongue";
      case TABLE_TSV -> "who\tfile\twords\ttongue\tnumber";
      default -> null;
    };
  }

  private String row(Utterance utterance) {
    String name = utterance.name;
    String speaker = utterance.speaker;
    String text = utterance.text;
    String quoted = utterance.damage == Damage.QUOTES ? text : '"' + text + '"';
    return switch (format) {
      case LJSPEECH -> name + "|" + text;
      case LJSPEECH_NORMALIZED -> name + "|" + (text.isEmpty() ? "" : "Raw " + text) + "|" + text;
      case VCTK, VCTK_OLD -> text;
      case COMMON_VOICE -> speaker + "\t" + name + ".wav\t" + text + "\t2\t0\t\t\t\t\ten\t";
      case PIPER -> name + ".wav|" + speaker + "|" + text;
      case VITS -> "DUMMY1/" + name + ".wav|" + text;
      case VITS_SPEAKERS -> "DUMMY1/" + name + ".wav|" + speaker + "|" + text;
      case COQUI -> "wavs/" + name + ".wav|" + text + "|" + speaker + "|neutral";
      case VALETTS -> "audio/" + name + ".wav," + speaker + ",\"raw, " + name + "\"," + quoted + ",x," + seconds(utterance.damage) + ",en,calm";
      case TABLE_CSV -> "7,sounds/" + name + ".wav," + speaker + "," + quoted + ",en";
      case TABLE_TSV -> speaker + "\tsounds/" + name + ".wav\t" + text + "\ten\t7";
      case TABLE_JSONL -> json(utterance);
    };
  }

  private static double seconds(Damage damage) {
    return damage == Damage.SECONDS_60 ? 60 : damage == Damage.SECONDS_0_05 ? 0.05 : 1;
  }

  private static String json(Utterance utterance) {
    String text = utterance.damage == Damage.QUOTES ? utterance.text : utterance.text.replace("\t", "\\t");
    return "{\"file\": \"sounds/" + utterance.name + ".wav\", \"who\": \"" + utterance.speaker + "\", \"words\": \""
        + text + "\", \"tongue\": \"en\"}";
  }

  private Path audio(Utterance utterance) {
    String name = utterance.name;
    return folder.resolve(
        switch (format) {
          case LJSPEECH, LJSPEECH_NORMALIZED, VITS, VITS_SPEAKERS, COQUI -> "wavs/" + name + ".wav";
          case VCTK -> "wav48_silence_trimmed/" + utterance.speaker + "/" + name + "_mic1.flac";
          case VCTK_OLD -> "wav48/" + utterance.speaker + "/" + name + ".wav";
          case COMMON_VOICE -> "clips/" + name + ".wav";
          case PIPER -> "wav/" + name + ".wav";
          case VALETTS -> "audio/" + name + ".wav";
          case TABLE_CSV, TABLE_TSV, TABLE_JSONL -> "sounds/" + name + ".wav";
        });
  }

  private void writeAudio(Utterance utterance) throws IOException {
    Path file = audio(utterance);
    Files.createDirectories(file.getParent());
    int rate = utterance.damage == Damage.RATE_96_KHZ ? 96000 : RATE_HZ;
    double seconds = seconds(utterance.damage);
    float[] samples = WavFixtures.tone(200 + 3 * voices++, seconds, rate, 0.4);
    for (int i = 0; i < samples.length; i++) {
      samples[i] =
          switch (utterance.damage) {
            case DC_OFFSET -> samples[i] + 0.2f;
            case CLIPPED -> Math.max(-1, Math.min(1, 6 * samples[i]));
            case SILENCE -> 0;
            default -> samples[i];
          };
    }
    switch (utterance.damage) {
      case MISSING -> {}
      case EMPTY -> Files.createFile(file);
      case WRONG_EXTENSION -> {
        Path flac = file.resolveSibling(utterance.name + ".flac");
        CompressedFixtures.write(flac, "flac", avutil.AV_SAMPLE_FMT_S16, rate, samples);
        Files.move(flac, file);
      }
      case STEREO -> WavFixtures.write(file, WavFixtures.Format.PCM16, rate, samples, samples);
      default -> writeMono(file, rate, samples);
    }
    if (utterance.damage == Damage.TRUNCATED) {
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, whole.length / 2));
    }
  }

  private static void writeMono(Path file, int rate, float[] samples) throws IOException {
    if (file.toString().endsWith(".flac")) {
      CompressedFixtures.write(file, "flac", avutil.AV_SAMPLE_FMT_S16, rate, samples);
    } else {
      WavFixtures.write(file, WavFixtures.Format.PCM16, rate, samples);
    }
  }
}
