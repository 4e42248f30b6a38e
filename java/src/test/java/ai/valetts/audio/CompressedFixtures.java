package ai.valetts.audio;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_interleaved_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open;
import static org.bytedeco.ffmpeg.global.avutil.AV_SAMPLE_FMT_FLTP;
import static org.bytedeco.ffmpeg.global.avutil.av_channel_layout_default;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_make_q;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/** Encodes short mono recordings with FFmpeg's encoders. Frees on success only: a failure ends the test run anyway. */
public final class CompressedFixtures {
  private static final int PACKET_SAMPLES = 960;

  private CompressedFixtures() {}

  public static void write(Path file, String encoder, int sampleFormat, int sampleRateHz, float[] samples) {
    AVFormatContext format = new AVFormatContext(null);
    check(avformat_alloc_output_context2(format, null, null, file.toString()), "container of " + file);
    AVCodec codec = avcodec_find_encoder_by_name(encoder);
    if (codec == null) {
      throw new IllegalStateException("FFmpeg has no encoder " + encoder);
    }
    AVCodecContext context = avcodec_alloc_context3(codec);
    context.sample_rate(sampleRateHz).sample_fmt(sampleFormat).bit_rate(96_000);
    context.time_base(av_make_q(1, sampleRateHz)).flags(context.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
    av_channel_layout_default(context.ch_layout(), 1);
    check(avcodec_open2(context, codec, (AVDictionary) null), "encoder " + encoder);
    AVStream stream = avformat_new_stream(format, null);
    stream.time_base(context.time_base());
    check(avcodec_parameters_from_context(stream.codecpar(), context), "parameters");
    AVIOContext io = new AVIOContext(null);
    check(avio_open(io, file.toString(), AVIO_FLAG_WRITE), "open " + file);
    format.pb(io);
    check(avformat_write_header(format, (AVDictionary) null), "header");
    AVPacket packet = av_packet_alloc();
    int step = context.frame_size() > 0 ? context.frame_size() : PACKET_SAMPLES;
    for (int start = 0; start < samples.length; start += step) {
      AVFrame frame = frame(context, samples, start, Math.min(step, samples.length - start));
      check(avcodec_send_frame(context, frame), "encode");
      av_frame_free(frame);
      drain(format, stream, context, packet);
    }
    check(avcodec_send_frame(context, null), "flush");
    drain(format, stream, context, packet);
    check(av_write_trailer(format), "trailer");
    av_packet_free(packet);
    avcodec_free_context(context);
    avio_closep(io);
    format.pb(null);
    avformat_free_context(format);
  }

  private static AVFrame frame(AVCodecContext context, float[] samples, int start, int count) {
    AVFrame frame = av_frame_alloc();
    frame.nb_samples(count).format(context.sample_fmt()).sample_rate(context.sample_rate()).pts(start);
    av_channel_layout_default(frame.ch_layout(), 1);
    check(av_frame_get_buffer(frame, 0), "frame");
    boolean isFloat = context.sample_fmt() == AV_SAMPLE_FMT_FLTP;
    ByteBuffer data = frame.data(0).capacity((long) count * (isFloat ? 4 : 2)).asByteBuffer();
    data.order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      if (isFloat) {
        data.putFloat(samples[start + i]);
      } else {
        data.putShort((short) Math.round(samples[start + i] * 32767));
      }
    }
    return frame;
  }

  private static void drain(AVFormatContext format, AVStream stream, AVCodecContext context, AVPacket packet) {
    while (avcodec_receive_packet(context, packet) >= 0) {
      av_packet_rescale_ts(packet, context.time_base(), stream.time_base());
      packet.stream_index(stream.index());
      check(av_interleaved_write_frame(format, packet), "write");
    }
  }

  private static void check(int code, String what) {
    if (code < 0) {
      throw new IllegalStateException(what + " failed with " + code);
    }
  }
}
