package ai.valetts.config;

/**
 * The signal front end (VITS, section 3.1 and the public reference's {@code data} section).
 *
 * @param sampleRateHz rate every recording is converted to, 8,000 to 48,000
 * @param fftSize samples in one Fourier transform
 * @param hopLength samples between frames; equals the product of {@code model.upsampleRates}
 * @param winLength samples in the Hann window, at most {@code fftSize}
 * @param melBins Slaney mel bands
 * @param melMinHz lower edge of the lowest band
 * @param melMaxHz upper edge of the highest band; 0 means half the sample rate
 */
public record AudioConfig(
    int sampleRateHz, int fftSize, int hopLength, int winLength, int melBins, float melMinHz, float melMaxHz) {}
