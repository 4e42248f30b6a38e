package ai.valetts.evaluation;

/**
 * Three figures of one utterance.
 *
 * @param secondsPerPhoneme length over phonemes, pauses included
 * @param voicedFlatness spectral flatness, geometric over arithmetic mean of the power spectrum from 60 Hz to 7 kHz,
 *     averaged over voiced frames; about 0.5 for white noise, far below 0.1 for a vowel; NaN without a voiced frame
 * @param energyDeviationDb standard deviation of the frames' energy in dB, frames more than 60 dB below the loudest
 *     counted as 60 dB below
 */
public record SpeechStatistics(
    double seconds, int phonemes, double secondsPerPhoneme, double voicedFlatness, double energyDeviationDb) {}
