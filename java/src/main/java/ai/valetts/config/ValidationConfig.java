package ai.valetts.config;

import java.util.List;

/**
 * What is measured on the held-out clips, and when.
 *
 * @param everySteps steps between validations
 * @param patience validations in a row without a lower mel L1 of the held-out clips, after which the run ends; null for
 *     any number
 * @param audioClips held-out clips whose audio, spectrograms and alignment are written to TensorBoard
 * @param sentences texts synthesized at each validation, one file per sentence and speaker
 */
public record ValidationConfig(int everySteps, @Nullable Integer patience, int audioClips, List<String> sentences) {}
