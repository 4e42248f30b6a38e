package ai.valetts.audio;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_FLAC;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_AUDIO;
import static org.bytedeco.ffmpeg.global.avutil.AV_CHANNEL_ORDER_UNSPEC;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.AV_SAMPLE_FMT_FLT;
import static org.bytedeco.ffmpeg.global.avutil.AV_TIME_BASE;
import static org.bytedeco.ffmpeg.global.avutil.av_channel_layout_default;
import static org.bytedeco.ffmpeg.global.avutil.av_channel_layout_uninit;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_opt_set_double;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;
import static org.bytedeco.ffmpeg.global.swresample.swr_alloc_set_opts2;
import static org.bytedeco.ffmpeg.global.swresample.swr_convert;
import static org.bytedeco.ffmpeg.global.swresample.swr_free;
import static org.bytedeco.ffmpeg.global.swresample.swr_get_out_samples;
import static org.bytedeco.ffmpeg.global.swresample.swr_init;

import ai.valetts.audio.AudioException.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVChannelLayout;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.presets.avutil;
import org.bytedeco.ffmpeg.swresample.SwrContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Decodes a recording to mono float samples at a wanted rate, with FFmpeg's libraries: WAV, FLAC, MP3, Ogg, Opus, M4A,
 * G.722, AIFF. Thread-safe; each call opens and frees everything it uses.
 */
public final class AudioReader {
  /** File extensions looked for, in this order, when a name is given without one. */
  public static final List<String> EXTENSIONS =
      List.of("wav", "flac", "mp3", "ogg", "opus", "m4a", "g722", "aiff");

  /** Plain audio only: a playlist dressed up as a recording must not make us open other files or the network. */
  private static final String FORMATS = "wav,w64,flac,mp3,ogg,mov,mp4,m4a,g722,aiff,au";

  /** Formats whose header states the length, so that a cut file is noticed. WAV has its own check. */
  private static final Set<String> STATED_LENGTH = Set.of("w64", "flac", "aiff", "mov,mp4,m4a,3gp,3g2,mj2");

  /** Longer files are not utterances, and would fill the memory. */
  public static final int MAX_SECONDS = 240;

  static {
    // Before any JavaCPP class is initialised: its limit on process memory counts libtorch's too.
    if (System.getProperty("org.bytedeco.javacpp.nopointergc") == null) {
      System.setProperty("org.bytedeco.javacpp.nopointergc", "true");
    }
  }

  /** FFmpeg's libraries, loaded by the first file that needs them. */
  private static final class Libraries {
    /** Why they cannot be used; null when they can. */
    static final LinkageError PROBLEM = load();

    private static LinkageError load() {
      try {
        av_log_set_level(AV_LOG_QUIET);
        return null;
      } catch (LinkageError e) {
        return e;
      }
    }

    static Optional<String> problem() {
      return Optional.ofNullable(PROBLEM).map(e -> "FFmpeg's libraries cannot be loaded (" + e.getMessage() + ")");
    }

    /** What kept them from being unpacked, if that is the problem. */
    static Optional<IOException> diskProblem() {
      for (Throwable cause = PROBLEM; cause != null; cause = cause.getCause()) {
        if (cause instanceof IOException disk) {
          return Optional.of(disk);
        }
      }
      return Optional.empty();
    }
  }

  private final Path file;
  private final int sampleRateHz;
  private float[] samples = new float[1 << 16];
  private int count;

  private AudioReader(Path file, int sampleRateHz) {
    this.file = file;
    this.sampleRateHz = sampleRateHz;
  }

  /**
   * Why FFmpeg cannot be used here; empty when it can. Without it only mono 16-bit WAV files that already have the wanted
   * rate are read.
   */
  public static Optional<String> decoderProblem() {
    return Libraries.problem();
  }

  /** Whether this build of ValeTTS carries FFmpeg's libraries at all. */
  public static boolean carriesDecoder() {
    return avcodec.class.getResource("/org/bytedeco/ffmpeg/" + Loader.getPlatform() + "/libjniavcodec.so") != null;
  }

  /**
   * Decodes a whole file.
   *
   * @param sampleRateHz rate of the result
   * @throws AudioException if the file is missing, empty, corrupt, cut short, longer than {@link #MAX_SECONDS} or no
   *     audio
   * @throws UncheckedIOException if FFmpeg's libraries cannot be unpacked, e.g. because the disk is full
   */
  public static DecodedAudio read(Path file, int sampleRateHz) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new AudioException(file, Fault.MISSING, Files.exists(file) ? "is not a file" : "does not exist");
      }
      if (Files.size(file) == 0) {
        throw new AudioException(file, Fault.EMPTY, "is empty");
      }
      WavHeader.cutShort(file)
          .ifPresent(
              problem -> {
                throw new AudioException(file, Fault.CUT_SHORT, problem);
              });
      Optional<DecodedAudio> plain = PlainWav.read(file, sampleRateHz, MAX_SECONDS);
      if (plain.isPresent()) {
        return plain.get();
      }
    } catch (IOException e) {
      throw new AudioException(file, Fault.UNREADABLE, "cannot be read: " + e.getMessage());
    }
    if (Libraries.PROBLEM != null) {
      Libraries.diskProblem().ifPresent(AudioReader::refuseDisk);
      throw new AudioException(
          file,
          Fault.UNREADABLE,
          "cannot be decoded: " + Libraries.problem().orElseThrow() + "; without them only mono 16-bit WAV at " + sampleRateHz
              + " Hz is read");
    }
    return new AudioReader(file, sampleRateHz).decode();
  }

  private static void refuseDisk(IOException cause) {
    throw new UncheckedIOException(new IOException("FFmpeg's libraries cannot be unpacked: " + cause.getMessage(), cause));
  }

  private DecodedAudio decode() {
    AVFormatContext format = new AVFormatContext(null);
    try (AVDictionary options = new AVDictionary(null)) {
      av_dict_set(options, "format_whitelist", FORMATS, 0);
      av_dict_set(options, "protocol_whitelist", "file", 0);
      int opened = avformat_open_input(format, "file:" + file.toAbsolutePath(), (AVInputFormat) null, options);
      av_dict_free(options);
      // On failure FFmpeg has freed the context and set the pointer to null.
      check(opened, "is no recording that can be decoded");
      check(avformat_find_stream_info(format, (PointerPointer<?>) null), "is damaged");
      try (AVCodec codec = new AVCodec(null)) {
        int index = av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, -1, codec, 0);
        check(index, "holds no audio");
        return decode(format, format.streams(index), codec);
      }
    } finally {
      if (!format.isNull()) {
        avformat_close_input(format);
      }
      format.close();
    }
  }

  private DecodedAudio decode(AVFormatContext format, AVStream stream, AVCodec codec) {
    AVCodecContext context = avcodec_alloc_context3(codec);
    try {
      check(avcodec_parameters_to_context(context, stream.codecpar()), "has an unreadable header");
      context.pkt_timebase(stream.time_base());
      if (context.codec_id() == AV_CODEC_ID_FLAC) {
        // FLAC carries checksums; without these flags a damaged block is decoded into noise.
        context.err_recognition(avcodec.AV_EF_CRCCHECK | avcodec.AV_EF_EXPLODE);
      }
      check(avcodec_open2(context, codec, (AVDictionary) null), "cannot be decoded");
      int rate = context.sample_rate();
      int channels = context.ch_layout().nb_channels();
      if (rate <= 0 || channels <= 0) {
        throw new AudioException(file, Fault.DAMAGED, "names no sample rate or no channels");
      }
      double stated = format.duration() / (double) AV_TIME_BASE;
      if (format.duration() != AV_NOPTS_VALUE && stated > MAX_SECONDS) {
        throw tooLong(String.format(Locale.ROOT, "%.0f s", stated));
      }
      try (Resampler resampler = new Resampler(context)) {
        long decoded = decodePackets(format, stream, context, resampler);
        checkLength(format, stream, decoded, rate);
      }
      if (count == 0) {
        throw new AudioException(file, Fault.EMPTY, "holds no audio");
      }
      for (int i = 0; i < count; i++) {
        if (!Float.isFinite(samples[i])) {
          throw new AudioException(file, Fault.DAMAGED, "holds samples that are not numbers");
        }
      }
      String container = format.iformat().name().getString();
      return new DecodedAudio(Arrays.copyOf(samples, count), rate, channels, container);
    } finally {
      avcodec_free_context(context);
    }
  }

  /** Returns the samples per channel that were decoded, before resampling. */
  private long decodePackets(AVFormatContext format, AVStream stream, AVCodecContext context, Resampler resampler) {
    AVPacket packet = av_packet_alloc();
    AVFrame frame = av_frame_alloc();
    try {
      long decoded = 0;
      while (true) {
        int read = av_read_frame(format, packet);
        if (read == AVERROR_EOF()) {
          break;
        }
        check(read, "is damaged");
        if (packet.stream_index() == stream.index()) {
          check(avcodec_send_packet(context, packet), "is damaged");
          decoded += receiveFrames(context, frame, resampler);
        }
        av_packet_unref(packet);
      }
      check(avcodec_send_packet(context, null), "is damaged");
      decoded += receiveFrames(context, frame, resampler);
      resampler.flush();
      return decoded;
    } finally {
      av_frame_free(frame);
      av_packet_free(packet);
    }
  }

  private long receiveFrames(AVCodecContext context, AVFrame frame, Resampler resampler) {
    long decoded = 0;
    while (true) {
      int received = avcodec_receive_frame(context, frame);
      if (received == avutil.AVERROR_EAGAIN() || received == AVERROR_EOF()) {
        return decoded;
      }
      check(received, "is damaged");
      decoded += frame.nb_samples();
      if (decoded > (long) MAX_SECONDS * context.sample_rate()) {
        throw tooLong(String.format(Locale.ROOT, "more than %d s", MAX_SECONDS));
      }
      resampler.convert(frame);
    }
  }

  private AudioException tooLong(String length) {
    return new AudioException(file, Fault.TOO_LONG, "is " + length + " long; cut it into utterances");
  }

  /** A FLAC header says how much should follow. One part in fifty is left to sloppy writers. */
  private void checkLength(AVFormatContext format, AVStream stream, long decoded, int rate) {
    if (!STATED_LENGTH.contains(format.iformat().name().getString()) || stream.duration() == AV_NOPTS_VALUE) {
      return;
    }
    double stated = (double) stream.duration() * stream.time_base().num() / stream.time_base().den();
    double found = (double) decoded / rate;
    if (found < stated * 0.98 - 0.05) {
      throw new AudioException(
          file,
          Fault.CUT_SHORT,
          String.format(Locale.ROOT, "is cut short: %.2f s of %.2f s are there", found, stated));
    }
  }

  private void check(int code, String problem) {
    if (code >= 0) {
      return;
    }
    try (BytePointer text = new BytePointer(256)) {
      av_strerror(code, text, text.capacity());
      text.limit(BytePointer.strlen(text));
      throw new AudioException(file, Fault.DAMAGED, problem + " (" + text.getString() + ")");
    }
  }

  /** libswresample behind one decoder: any layout and format in, mono float out, appended to {@link #samples}. */
  private final class Resampler implements AutoCloseable {
    private final SwrContext swr = new SwrContext(null);
    private final PointerPointer<FloatPointer> output = new PointerPointer<>(1);
    private FloatPointer chunk = new FloatPointer(1 << 13);

    Resampler(AVCodecContext context) {
      try (AVChannelLayout mono = new AVChannelLayout();
          AVChannelLayout unnamed = new AVChannelLayout()) {
        av_channel_layout_default(mono, 1);
        AVChannelLayout source = context.ch_layout();
        if (source.order() == AV_CHANNEL_ORDER_UNSPEC) {
          av_channel_layout_default(unnamed, source.nb_channels());
          source = unnamed;
        }
        int allocated =
            swr_alloc_set_opts2(
                swr,
                mono,
                AV_SAMPLE_FMT_FLT,
                sampleRateHz,
                source,
                context.sample_fmt(),
                context.sample_rate(),
                0,
                null);
        check(allocated, "has channels that cannot be mixed");
        // For float output libswresample would let two equal channels add up to more than one.
        av_opt_set_double(swr, "rematrix_maxval", 1.0, 0);
        check(swr_init(swr), "has channels that cannot be mixed");
        av_channel_layout_uninit(unnamed);
        av_channel_layout_uninit(mono);
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    void convert(AVFrame frame) {
      long room = room(frame.nb_samples());
      append(swr_convert(swr, output, (int) room, frame.extended_data(), frame.nb_samples()));
    }

    /** A null input ends the stream and lets out what the filter holds. */
    void flush() {
      int converted;
      do {
        converted = swr_convert(swr, output, (int) room(0), (PointerPointer<?>) null, 0);
        append(converted);
      } while (converted > 0);
    }

    /** Makes the buffer large enough for all that can come out, so that nothing piles up inside. */
    private long room(int inputSamples) {
      long needed = swr_get_out_samples(swr, inputSamples);
      if (needed > chunk.capacity()) {
        chunk.close();
        chunk = new FloatPointer(needed + needed / 4);
      }
      output.put(0, chunk);
      return chunk.capacity();
    }

    private void append(int converted) {
      check(converted, "cannot be resampled");
      if (count + converted > samples.length) {
        samples = Arrays.copyOf(samples, Math.max(samples.length * 2, count + converted));
      }
      chunk.get(samples, count, converted);
      count += converted;
    }

    @Override
    public void close() {
      swr_free(swr);
      output.close();
      chunk.close();
      swr.close();
    }
  }
}
