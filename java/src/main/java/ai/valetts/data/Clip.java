package ai.valetts.data;

import java.nio.file.Path;

/**
 * One usable utterance.
 *
 * @param id key of its random draws; depends on speaker and name alone, so it survives changes to the rest of the data
 * @param name first column of its row
 * @param audioFile its recording
 * @param metadataFile file that lists it
 * @param line line in that file, from 1
 * @param text what is said
 * @param language espeak-ng voice the text was read with
 * @param speaker speaker's name
 * @param speakerId number of that name in {@link Speakers}
 * @param tokenIds symbol ids of the text
 * @param samples length of the decoded recording
 */
public record Clip(
    long id,
    String name,
    Path audioFile,
    Path metadataFile,
    int line,
    String text,
    String language,
    String speaker,
    int speakerId,
    int[] tokenIds,
    int samples) {

  /** Spectrogram frames of the recording. */
  public int frames(int hopLength) {
    return samples / hopLength;
  }

  /** The same clip with its speaker's number. */
  Clip of(Speakers speakers) {
    int number = speakers.idOf(speaker);
    return new Clip(
        id, name, audioFile, metadataFile, line, text, language, speaker, number, tokenIds, samples);
  }
}
