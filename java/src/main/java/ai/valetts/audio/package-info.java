/**
 * Recordings in and out: decoding and resampling with FFmpeg's libraries, trimming of silence, WAV writing. Loads its
 * native part on first use; plain WAV files need none.
 */
package ai.valetts.audio;
