package ai.valetts.config;

import java.util.List;

/**
 * What is measured on the held-out clips, and when.
 *
 * @param everySteps steps between validations
 * @param audioClips held-out clips whose audio, spectrograms and alignment are written to TensorBoard
 * @param sentences texts synthesized at each validation, one file per sentence and speaker
 */
public record ValidationConfig(int everySteps, int audioClips, List<String> sentences) {}
