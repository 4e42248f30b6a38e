/* The one border between the ValeTTS core and its users.
 *
 * Handles are opaque, structs are plain and passed by pointer, every function returns a status, nothing is thrown
 * across and nothing calls back. Text is UTF-8 and NUL-terminated. Buffers are borrowed for the call only.
 *
 *   vt_session_config config;
 *   vt_session_config_init(&config);
 *   vt_session* session = NULL;
 *   if (vt_session_create(&config, &session) != VT_OK) puts(vt_last_error());
 *   vt_session_accumulate(session, VT_PHASE_DISCRIMINATORS, &batch, &params);
 *   vt_session_apply(session, VT_PHASE_DISCRIMINATORS, &params, NULL);
 *   vt_session_accumulate(session, VT_PHASE_GENERATOR, &batch, &params);
 *   vt_session_apply(session, VT_PHASE_GENERATOR, &params, &metrics);
 *   vt_session_destroy(session);
 *
 * Threads: calls on one handle must not overlap. Different handles are independent, but share libtorch's thread pool.
 * Outputs are written only when the status is VT_OK.
 *
 * Shapes: B batch, T text tokens, S spectrogram frames, N samples, C channels, F linear bins, M mel bins.
 */
#ifndef VALETTS_VALETTS_H
#define VALETTS_VALETTS_H

#include <stdint.h>

#if defined(_WIN32)
#define VT_API __declspec(dllexport)
#else
#define VT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  VT_MAX_UPSAMPLES = 8,
  VT_MAX_RESBLOCK_KERNELS = 8,
  VT_MAX_DILATIONS = 8,
  VT_DISCRIMINATORS = 6,
  VT_TEXT_CAPACITY = 256,
  VT_UNREAD_STEPS = 128 /* whose metrics may wait to be read */
};

typedef enum vt_status {
  VT_OK = 0,
  VT_INVALID_ARGUMENT = 1,
  VT_INVALID_STATE = 2,
  VT_IO = 3,
  VT_OUT_OF_MEMORY = 4,
  VT_NON_FINITE = 5,
  VT_DEVICE_FATAL = 6,
  VT_CANCELLED = 7,
  VT_INTERNAL = 8
} vt_status;

typedef enum vt_spectrogram_kind { VT_SPECTROGRAM_MEL = 0, VT_SPECTROGRAM_LINEAR = 1 } vt_spectrogram_kind;
typedef enum vt_flow_kind { VT_FLOW_PLAIN = 0, VT_FLOW_PRE_CONV = 1, VT_FLOW_PRE_CONV2 = 2 } vt_flow_kind;
typedef enum vt_duration_discriminator_kind {
  VT_DURATION_DISCRIMINATOR_NONE = 0,
  VT_DURATION_DISCRIMINATOR_V1 = 1,
  VT_DURATION_DISCRIMINATOR_V2 = 2
} vt_duration_discriminator_kind;

/* What the decoder's convolutions are joined by: leaky rectifiers (HiFi-GAN), or anti-aliased periodic activations
   (BigVGAN, arXiv:2206.04658). */
typedef enum vt_decoder_kind { VT_DECODER_HIFIGAN = 0, VT_DECODER_BIGVGAN = 1 } vt_decoder_kind;

/* In which arithmetic convolutions and matrix products run; parameters, losses and optimizer states are float32. */
typedef enum vt_precision {
  VT_PRECISION_FP32 = 0,
  VT_PRECISION_TF32 = 1, /* tensor cores of NVIDIA GPUs from Ampere on */
  VT_PRECISION_BF16 = 2,
  VT_PRECISION_FP16 = 3, /* with a dynamic loss scale, kept in the checkpoint */
  VT_PRECISION_FP64 = 4  /* parity checks only */
} vt_precision;

/* What a row of a parity check measures. */
typedef enum vt_parity_kind {
  VT_PARITY_FORWARD = 0,     /* largest error over the recorded tensor's largest value */
  VT_PARITY_GRADIENT = 1,    /* the same, of a gradient or its norm */
  VT_PARITY_PARAMETER = 2,   /* largest absolute error after the optimizer's step */
  VT_PARITY_EXACT = 3,       /* share of elements or frames that differ */
  VT_PARITY_ABSOLUTE = 4,    /* largest absolute error */
  VT_PARITY_NOT_COMPARED = 5 /* recorded, but nothing here computes it */
} vt_parity_kind;

/* Signal front end. Frames of an utterance of N samples: floor(N / hop_length). */
typedef struct vt_audio_config {
  int32_t sample_rate_hz;
  int32_t fft_size;   /* samples, power of two not required */
  int32_t hop_length; /* samples */
  int32_t win_length; /* samples, at most fft_size */
  int32_t mel_bins;
  float mel_min_hz;
  float mel_max_hz; /* 0 means half the sample rate */
} vt_audio_config;

/* Network sizes. The names are those of VITS2 (arXiv:2307.16430) and of its public reference's config. */
typedef struct vt_model_config {
  int32_t vocabulary_size;
  int32_t speaker_count;    /* 1: no speaker embedding */
  int32_t speaker_channels; /* width of the speaker embedding; ignored with one speaker */
  int32_t posterior_input;  /* vt_spectrogram_kind */
  int32_t inter_channels;
  int32_t hidden_channels;
  int32_t filter_channels;
  int32_t attention_heads;
  int32_t encoder_layers;
  int32_t encoder_kernel_size;
  float dropout;
  int32_t speaker_conditioned_encoder; /* boolean; needs encoder_layers > 2 and speaker_count > 1 */
  int32_t posterior_layers;
  int32_t flow_kind; /* vt_flow_kind */
  int32_t flow_couplings;
  int32_t flow_layers;                   /* WaveNet layers in one coupling */
  int32_t stochastic_duration_predictor; /* boolean */
  int32_t duration_discriminator;        /* vt_duration_discriminator_kind */
  int32_t noise_scaled_alignment;        /* boolean: noise-scaled monotonic alignment search */
  int32_t decoder_kind;                  /* vt_decoder_kind */
  int32_t resblock_kind;                 /* 1 or 2 */
  int32_t resblock_kernel_count;
  int32_t resblock_kernel_sizes[8 /* VT_MAX_RESBLOCK_KERNELS */];
  int32_t resblock_dilation_count;
  int32_t resblock_dilations[64 /* [kernel][dilation], row stride VT_MAX_DILATIONS */];
  int32_t upsample_count;
  int32_t upsample_rates[8 /* VT_MAX_UPSAMPLES */]; /* product equals hop_length */
  int32_t upsample_kernel_sizes[8];
  int32_t upsample_initial_channels;
  int32_t discriminator_width_divisor; /* 1 is the published width */
} vt_model_config;

typedef struct vt_optimizer_config {
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  double average_decay; /* of a running mean of the generator's weights, which then speaks; 0 keeps none */
} vt_optimizer_config;

typedef struct vt_session_config {
  vt_audio_config audio;
  vt_model_config model;
  vt_optimizer_config optimizer;
  int32_t segment_samples; /* multiple of hop_length */
  int32_t threads;         /* CPU threads for the whole process; 0 leaves libtorch's choice */
  int64_t seed;
  const char* device; /* "auto", "cpu", "cuda:N" */
  int32_t precision;  /* vt_precision; of training steps, and of a voice from a file; evaluation is float32 */
  int32_t reference_padding; /* boolean: losses and alignment noise count padding as the public reference does */
} vt_session_config;

/* One padded batch. Every pointer is borrowed for the call. */
typedef struct vt_batch {
  int32_t batch_size;               /* B */
  int32_t max_tokens;               /* T */
  int32_t max_samples;              /* N */
  const int32_t* token_ids_BT;      /* 0..vocabulary_size-1, zero-padded */
  const int32_t* token_lengths_B;   /* 1..T */
  const float* samples_BN;          /* -1..1, zero-padded */
  const int32_t* sample_lengths_B;  /* 1..N, with at least one frame (hop_length samples) per token */
  const int32_t* speaker_ids_B;     /* 0..speaker_count-1; may be NULL with one speaker */
  const int64_t* utterance_ids_B;   /* key of the item's random draws; stable over the run */
} vt_batch;

/* A step's two phases. Each runs over all micro-batches of the batch, then its optimizers step. */
typedef enum vt_phase { VT_PHASE_DISCRIMINATORS = 0, VT_PHASE_GENERATOR = 1 } vt_phase;

typedef struct vt_step_params {
  int64_t step; /* 0-based global step: keys the random draws and the alignment noise */
  double learning_rate_generator;
  double learning_rate_discriminator;
  double learning_rate_duration_discriminator;
  double mel_weight; /* 45 in the paper */
  double kl_weight;
  double gradient_limit; /* to which the norm of each network's gradient is cut; 0 leaves it */
  double loss_scale_limit; /* fp16: lowers the loss scale to this before the step; 0 leaves it */
  /* The whole batch, over all its micro-batches: what losses are divided by. All 0 where it comes in one piece. */
  int64_t batch_items;
  int64_t batch_frames; /* sum over the utterances of floor(samples / hop_length) */
  int64_t batch_tokens;
} vt_step_params;

/* Losses as they enter the sums of the paper (weights included), except where named otherwise. */
typedef struct vt_step_metrics {
  int64_t step; /* of the params */
  float loss_generator_total;
  float loss_generator_adversarial;
  float loss_feature_matching;
  float loss_mel; /* mel_weight x L1 */
  float loss_kl;
  float loss_duration;
  float loss_duration_adversarial;
  float loss_discriminator;
  float loss_duration_discriminator;
  float loss_generator_parts[6 /* VT_DISCRIMINATORS */];
  float loss_discriminator_real_parts[6];
  float loss_discriminator_generated_parts[6];
  float mel_l1; /* before the weight, natural-log units */
  float gradient_norm_generator;
  float gradient_norm_discriminator;
  float gradient_norm_duration_discriminator;
  int64_t frames; /* valid spectrogram frames in the batch */
  int64_t tokens;
  float loss_scale; /* of the step just taken; 1 without fp16 */
  /* 1 where a loss or gradient was not finite, so that this network stayed as it was (and the loss scale was halved) */
  int32_t skipped_generator;
  int32_t skipped_discriminator;
  int32_t skipped_duration_discriminator;
} vt_step_metrics;

/* Held-out evaluation of one batch: posterior reconstruction of whole utterances with the posterior mean. */
typedef struct vt_evaluation {
  double mel_l1_sum; /* sum over valid frames and bins of |log-mel(decoded) - log-mel(recording)| */
  int64_t mel_count; /* frames x bins in that sum */
  double kl_sum;     /* nats summed over channels and valid frames */
  int64_t frames;
  double duration_error_sum; /* sum over tokens of |log predicted - log aligned| */
  int64_t tokens;
} vt_evaluation;

/* Looks inside the model at item 0 of a batch. Buffers are the caller's; capacities are counted in elements. */
typedef struct vt_inspection {
  float* mel_recording_MS; /* log-mel of the recording */
  float* mel_decoded_MS;   /* log-mel of the posterior reconstruction */
  int64_t mel_capacity;    /* at least M x S */
  uint8_t* alignment_TS;   /* 1 where token t covers frame s */
  int64_t alignment_capacity;
  float* decoded_N; /* posterior reconstruction */
  int64_t decoded_capacity;
  int32_t frames;  /* out: S */
  int32_t tokens;  /* out: T */
  int32_t samples; /* out: N */
} vt_inspection;

typedef struct vt_utterance {
  const int32_t* token_ids;
  int32_t token_count; /* at least 1 */
  int32_t speaker_id;
  float noise_scale;          /* 0.667 in the reference */
  float duration_noise_scale; /* 0.8; no effect with the deterministic predictor */
  float length_scale;         /* 1; larger is slower */
  int64_t seed;
} vt_utterance;

typedef struct vt_conversion {
  const float* samples_N;
  int32_t sample_count; /* at least hop_length */
  int32_t source_speaker_id;
  int32_t target_speaker_id;
  int64_t seed;
} vt_conversion;

typedef struct vt_description {
  int64_t parameters_text_encoder;
  int64_t parameters_posterior_encoder;
  int64_t parameters_flow;
  int64_t parameters_decoder;
  int64_t parameters_duration_predictor;
  int64_t parameters_speaker_embedding;
  int64_t parameters_generator; /* sum of the above: what the reference counts, dead ones included */
  int64_t parameters_dead;      /* saved by the reference's checkpoints, never used (flow post_transformer) */
  int64_t parameters_discriminator;
  int64_t parameters_duration_discriminator;
  int64_t process_resident_bytes; /* of this process, now */
  int64_t process_peak_bytes;
  int64_t device_allocated_bytes; /* 0 on the CPU, as are the next three */
  int64_t device_peak_bytes;      /* most that was reserved at once since the last description */
  int64_t device_free_bytes;      /* of the whole device, other processes counted */
  int64_t device_total_bytes;
  int64_t recorded_kernels; /* that a step of the shape recorded last runs on the device; 0 where none is recorded */
  char device[64];
} vt_description;

typedef struct vt_system {
  char core_version[64];
  char libtorch_version[64];
  char cpu_capability[64]; /* e.g. AVX2 */
  char cuda_devices[VT_TEXT_CAPACITY]; /* names, one per line; empty without a usable GPU */
  int32_t cuda_built;        /* boolean: libtorch has CUDA */
  int32_t cuda_device_count; /* usable now */
  int32_t threads;
} vt_system;

typedef struct vt_parity_request {
  const char* folder_utf8; /* recorded sets, laid out as docs/parity.md says */
  const char* set;         /* a file of the folder without .safetensors, e.g. "step_ss_mel_sdp" */
  const char* device;      /* as in vt_session_config */
  int32_t precision;       /* vt_precision */
  int32_t plain_path;      /* boolean: plain implementations instead of the fast ones that training uses */
  int32_t threads;
} vt_parity_request;

typedef struct vt_parity_row {
  char tensor[VT_TEXT_CAPACITY];
  int32_t kind; /* vt_parity_kind */
  double error;
  double error_limit;
  int32_t passed; /* boolean */
} vt_parity_row;

/* What one part of the model took in one direction, summed over the steps of a profile. The seconds of all rows are the
 * steps' own. */
typedef struct vt_profile_row {
  char module[VT_TEXT_CAPACITY]; /* e.g. "text encoder", "losses", "optimizers"; "rest of the step" is what is left */
  int32_t backward;              /* boolean */
  double seconds;                /* on CUDA the stream's, its idle times included */
  int64_t calls;                 /* forward: times entered; backward: autograd nodes */
  int64_t operators;             /* that compute: neither views nor allocations nor those made of others */
  int64_t bytes;                 /* estimated traffic: what the operators read and write, each once */
} vt_profile_row;

/* What vt_session_load reads. */
typedef enum vt_load {
  VT_LOAD_STATE = 0,  /* everything that a snapshot wrote; shapes must match */
  VT_LOAD_WEIGHTS = 1 /* generator.safetensors, and each discriminator whose file is there; the rest stays as it is */
} vt_load;

typedef struct vt_session vt_session;
typedef struct vt_snapshot vt_snapshot;
typedef struct vt_buffer vt_buffer;
typedef struct vt_voice vt_voice;
typedef struct vt_audio vt_audio;
typedef struct vt_parity_report vt_parity_report;
typedef struct vt_profile vt_profile;

/* The message of the last failure on this thread, valid until its next call. Never NULL. */
VT_API const char* vt_last_error(void);
VT_API vt_status vt_system_query(vt_system* out_system);

/* Fills a config with the published single-speaker sizes. */
VT_API vt_status vt_session_config_init(vt_session_config* config);

/* Creates the three networks and their optimizers, initialised from the seed. Errors: INVALID_ARGUMENT names the field. */
VT_API vt_status vt_session_create(const vt_session_config* config, vt_session** out_session);
VT_API void vt_session_destroy(vt_session* session);

/* Adds the losses and gradients of one micro-batch to those of its phase so far. The random draws are keyed by step and
 * utterance: each phase may split the batch differently. A batch in one piece goes through the generator once, in several
 * pieces once in each phase.
 * Errors: NON_FINITE names the utterance whose samples are not numbers; INVALID_STATE out of order; OUT_OF_MEMORY. After an
 * error the phase is half done: vt_session_discard, then begin it again (in smaller pieces) or leave it out. */
VT_API vt_status vt_session_accumulate(vt_session* session, int32_t phase, const vt_batch* batch,
                                       const vt_step_params* params);
/* Begins to bring the batch of the next step to a GPU while it is at the present one: called between the phases. The next
 * step's first vt_session_accumulate finds it there, if it is this batch in one piece. What is wrong with the batch is told
 * then, not here. Does nothing on the CPU. */
VT_API vt_status vt_session_prefetch(vt_session* session, const vt_batch* batch);
/* Takes the phase's optimizer steps. A network with a loss or gradient that is not finite stays as it was, which the metrics
 * tell. out_metrics may be NULL, and then nothing is read back from the device: of the generator's phase the metrics wait for
 * vt_session_read_metrics. Otherwise it holds the step so far; what waits goes on waiting.
 * Errors: INVALID_STATE out of order or where VT_UNREAD_STEPS wait already, with nothing applied. */
VT_API vt_status vt_session_apply(vt_session* session, int32_t phase, const vt_step_params* params,
                                  vt_step_metrics* out_metrics);
/* The metrics of steps that were applied with NULL, oldest first, at most `capacity` of them, in one transfer from the device;
 * what is read waits no more. *out_count is 0 where none waits. Neither vt_session_discard nor vt_session_load takes any away,
 * and a profiled step leaves none. */
VT_API vt_status vt_session_read_metrics(vt_session* session, int64_t capacity, vt_step_metrics* out_metrics,
                                         int64_t* out_count);
/* Forgets what the present phase has accumulated and returns cached device memory. What was applied stays. */
VT_API vt_status vt_session_discard(vt_session* session);
VT_API vt_status vt_session_evaluate(vt_session* session, const vt_batch* batch, vt_evaluation* out_evaluation);
VT_API vt_status vt_session_inspect(vt_session* session, const vt_batch* batch, vt_inspection* inspection);
VT_API vt_status vt_session_describe(vt_session* session, vt_description* out_description);

/* Takes one whole training step on a batch in one piece, operator by operator, and adds what it took to *profile; where that
 * is NULL, a new one is begun. One profile at a time in a process. Errors: those of a step, which then adds nothing;
 * INVALID_STATE while another profile is being taken or a step is under way. */
VT_API vt_status vt_session_profile(vt_session* session, const vt_batch* batch, const vt_step_params* params,
                                    vt_profile** profile);
VT_API int64_t vt_profile_row_count(const vt_profile* profile);
VT_API vt_status vt_profile_row_at(const vt_profile* profile, int64_t index, vt_profile_row* out_row);
/* Writes the last step as a Chrome trace: modules, and operators as the host ran them. Errors: IO names the file. */
VT_API vt_status vt_profile_write_trace(const vt_profile* profile, const char* file_utf8);
VT_API void vt_profile_destroy(vt_profile* profile);

/* A copy of the whole state in host memory, taken between steps. It may outlive the session. */
VT_API vt_status vt_session_snapshot(vt_session* session, vt_snapshot** out_snapshot);
/* Writes generator, discriminator, duration_discriminator and optimizer_* .safetensors into an existing directory; on any
 * thread. Errors: NON_FINITE, with nothing written, names a weight that is not a number; IO names the file. */
VT_API vt_status vt_snapshot_write(vt_snapshot* snapshot, const char* directory_utf8);
VT_API void vt_snapshot_destroy(vt_snapshot* snapshot);
/* `what` is a vt_load. On failure the session keeps its weights. */
VT_API vt_status vt_session_load(vt_session* session, const char* directory_utf8, int32_t what);

/* Memory for batches from which the device can be fed fastest: page-locked for a GPU. */
VT_API vt_status vt_buffer_create(const char* device, int64_t bytes, vt_buffer** out_buffer);
VT_API void* vt_buffer_address(vt_buffer* buffer);
VT_API void vt_buffer_destroy(vt_buffer* buffer);

/* A voice that shares the session's present weights (their running mean, where one is kept); it may outlive the session. */
VT_API vt_status vt_session_voice(vt_session* session, vt_voice** out_voice);
/* A voice from generator.safetensors. Only audio, model, threads, device and precision of the config are read:
 * VT_PRECISION_BF16 decodes in bfloat16 on a CPU that multiplies it, everything else is float32. */
VT_API vt_status vt_voice_open(const vt_session_config* config, const char* generator_file_utf8, vt_voice** out_voice);
VT_API vt_status vt_voice_synthesize(vt_voice* voice, const vt_utterance* utterance, vt_audio** out_audio);
VT_API vt_status vt_voice_convert(vt_voice* voice, const vt_conversion* conversion, vt_audio** out_audio);
VT_API void vt_voice_destroy(vt_voice* voice);

VT_API int64_t vt_audio_sample_count(const vt_audio* audio);
/* Copies all samples (-1..1); capacity is counted in samples. */
VT_API vt_status vt_audio_copy(const vt_audio* audio, float* out_samples, int64_t capacity);
VT_API void vt_audio_destroy(vt_audio* audio);

/* Log-mel [M,S] or linear magnitude [F,S] of one recording; out_frames is floor(N / hop_length). */
VT_API vt_status vt_spectrogram(const vt_audio_config* config, int32_t kind, const float* samples_N,
                                int64_t sample_count, float* out_values, int64_t capacity, int32_t* out_frames);

/* Compares this core, on this device, with one set recorded from the public reference. A broken limit is a row that did
 * not pass, not an error. Errors: IO names the file or tensor; INVALID_ARGUMENT an unknown set. */
VT_API vt_status vt_parity_check(const vt_parity_request* request, vt_parity_report** out_report);
VT_API int64_t vt_parity_row_count(const vt_parity_report* report);
VT_API vt_status vt_parity_row_at(const vt_parity_report* report, int64_t index, vt_parity_row* out_row);
VT_API void vt_parity_destroy(vt_parity_report* report);

#ifdef __cplusplus
}
#endif

#endif
