package ai.valetts.data;

import ai.valetts.audio.SpeechMeasure;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.data.corpus.CorpusRow;
import ai.valetts.data.corpus.Finding;
import ai.valetts.data.corpus.Finding.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Holds a decoded recording against its row and the configured limits. Stateless. */
final class RecordingChecks {
  /** Speech is never below this; digital silence and muted microphones are. */
  private static final double SILENCE_PEAK = 0.001;

  /** Below this share a few true peaks are no clipping. */
  private static final double NOTABLE_CLIPPING = 0.001;

  private static final double DURATION_TOLERANCE_SECONDS = 0.3;
  private static final double DURATION_TOLERANCE_SHARE = 0.05;

  /** File name extensions that go with FFmpeg's containers. */
  private static final Map<String, Set<String>> EXTENSIONS =
      Map.of(
          "wav", Set.of("wav", "wave"),
          "w64", Set.of("w64", "wav"),
          "flac", Set.of("flac"),
          "mp3", Set.of("mp3"),
          "ogg", Set.of("ogg", "oga", "opus"),
          "mov,mp4,m4a,3gp,3g2,mj2", Set.of("m4a", "mp4", "aac", "mov"),
          "g722", Set.of("g722"),
          "aiff", Set.of("aif", "aiff"),
          "au", Set.of("au", "snd"));

  private final DataConfig data;
  private final AudioConfig audio;

  RecordingChecks(DataConfig data, AudioConfig audio) {
    this.data = data;
    this.audio = audio;
  }

  /** Everything there is to say; a finding that is not a remark means that the row is not used. */
  List<Finding> check(CorpusRow row, RecordingEntry entry, ReadText text) {
    if (!entry.isDecoded()) {
      return List.of(new Finding(kind(entry), row.audioFile() + " " + entry.failure()));
    }
    List<Finding> findings = new ArrayList<>();
    addRemarks(row, entry, findings);
    Finding fault = fault(entry, text);
    if (fault != null) {
      findings.add(0, fault);
    }
    return findings;
  }

  private static Kind kind(RecordingEntry entry) {
    return switch (entry.fault()) {
      case MISSING -> Kind.MISSING_AUDIO;
      case EMPTY -> Kind.EMPTY_AUDIO;
      case CUT_SHORT -> Kind.TRUNCATED_AUDIO;
      case DAMAGED, UNREADABLE -> Kind.DAMAGED_AUDIO;
      case TOO_LONG -> Kind.TOO_LONG;
    };
  }

  /** The first reason not to use the row; null if there is none. */
  private Finding fault(RecordingEntry entry, ReadText text) {
    double seconds = (double) entry.samples() / audio.sampleRateHz();
    int frames = entry.samples() / audio.hopLength();
    int tokens = text.ids().length;
    if (entry.peak() < SILENCE_PEAK || entry.levelDb() <= SpeechMeasure.SILENCE_DB) {
      return new Finding(Kind.SILENT_AUDIO, "the recording is silent");
    }
    if (seconds < data.minSeconds()) {
      return new Finding(Kind.TOO_SHORT, duration(seconds, "below data.minSeconds", data.minSeconds()));
    }
    if (seconds > data.maxSeconds()) {
      return new Finding(Kind.TOO_LONG, duration(seconds, "above data.maxSeconds", data.maxSeconds()));
    }
    if (frames > longestBucket()) {
      return new Finding(Kind.TOO_LONG, frames + " frames, above the last of data.bucketFrames = " + longestBucket());
    }
    if (tokens > frames) {
      return new Finding(
          Kind.TEXT_LONGER_THAN_AUDIO,
          "the text (" + tokens + " symbols) is longer than its recording (" + frames + " frames)");
    }
    return data.checks() == null ? null : beyondLimits(entry, text.phonemeCount() / seconds);
  }

  private Finding beyondLimits(RecordingEntry entry, double soundsPerSecond) {
    DataConfig.Checks limits = data.checks();
    if (limits.minLevelDb() != null && entry.levelDb() < limits.minLevelDb()) {
      return new Finding(
          Kind.QUIET_AUDIO,
          String.format(
              Locale.ROOT, "speech at %.1f dB, below data.checks.minLevelDb = %s", entry.levelDb(), limits.minLevelDb()));
    }
    if (limits.maxClippedShare() != null && entry.clippedShare() > limits.maxClippedShare()) {
      return new Finding(
          Kind.CLIPPED_AUDIO,
          String.format(
              Locale.ROOT,
              "%.2f %% of the samples are at full scale, above data.checks.maxClippedShare = %s",
              100 * entry.clippedShare(),
              limits.maxClippedShare()));
    }
    if (limits.minSoundsPerSecond() != null && soundsPerSecond < limits.minSoundsPerSecond()) {
      return new Finding(
          Kind.TOO_FEW_SOUNDS,
          rate(soundsPerSecond, "below data.checks.minSoundsPerSecond", limits.minSoundsPerSecond()));
    }
    if (limits.maxSoundsPerSecond() != null && soundsPerSecond > limits.maxSoundsPerSecond()) {
      return new Finding(
          Kind.TOO_MANY_SOUNDS,
          rate(soundsPerSecond, "above data.checks.maxSoundsPerSecond", limits.maxSoundsPerSecond()));
    }
    return null;
  }

  private static String rate(double soundsPerSecond, String limit, double value) {
    return String.format(Locale.ROOT, "%.1f sounds in a second, %s = %s", soundsPerSecond, limit, value);
  }

  private static String duration(double seconds, String limit, double value) {
    return String.format(Locale.ROOT, "%.2f s, %s = %s", seconds, limit, value);
  }

  private int longestBucket() {
    List<Integer> edges = data.bucketFrames();
    return edges == null || edges.isEmpty() ? Integer.MAX_VALUE : edges.get(edges.size() - 1);
  }

  private void addRemarks(CorpusRow row, RecordingEntry entry, List<Finding> findings) {
    if (entry.sourceSampleRateHz() != audio.sampleRateHz()) {
      findings.add(
          new Finding(
              Kind.RESAMPLED, "converted from " + entry.sourceSampleRateHz() + " Hz to " + audio.sampleRateHz() + " Hz"));
    }
    if (entry.sourceChannels() != 1) {
      findings.add(new Finding(Kind.MIXED_DOWN, channels(entry.sourceChannels()) + " mixed to one"));
    }
    String name = row.audioFile().getFileName().toString();
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    if (!EXTENSIONS.getOrDefault(entry.container(), Set.of(extension)).contains(extension)) {
      String inside = entry.container().replaceFirst(",.*", "");
      findings.add(new Finding(Kind.WRONG_EXTENSION, name + " is " + inside + " inside, and read so"));
    }
    if (entry.offsetRemoved() != 0) {
      findings.add(
          new Finding(
              Kind.DC_OFFSET, String.format(Locale.ROOT, "a constant offset of %.3f was removed", entry.offsetRemoved())));
    }
    if (entry.clippedShare() > NOTABLE_CLIPPING) {
      findings.add(
          new Finding(
              Kind.CLIPPING,
              String.format(Locale.ROOT, "%.2f %% of the samples are at full scale", 100 * entry.clippedShare())));
    }
    double seconds = (double) (entry.samples() + entry.trimmedSamples()) / audio.sampleRateHz();
    double stated = row.statedSeconds();
    double tolerance = Math.max(DURATION_TOLERANCE_SECONDS, DURATION_TOLERANCE_SHARE * stated);
    if (stated > 0 && Math.abs(stated - seconds) > tolerance) {
      findings.add(
          new Finding(
              Kind.OTHER_DURATION,
              String.format(Locale.ROOT, "the table says %.2f s, the recording is %.2f s long", stated, seconds)));
    }
  }

  static String channels(int count) {
    return switch (count) {
      case 1 -> "mono";
      case 2 -> "stereo";
      default -> count + " channels";
    };
  }
}
