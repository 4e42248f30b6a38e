package ai.valetts.storage;

import java.nio.file.Path;

/**
 * A checkpoint to be copied.
 *
 * @param directory where its files lie: the staging folder, or the checkpoint's own where it could not be linked
 * @param checkpoint name of the checkpoint's folder
 * @param linked whether the files are pinned in the staging folder
 */
record Staged(long step, Path directory, String checkpoint, boolean linked) {}
