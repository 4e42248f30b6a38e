package ai.valetts.engine;

import java.nio.file.Path;

/**
 * One recorded set to compare the core with.
 *
 * @param folder recordings of the public reference, laid out as {@code docs/parity.md} says
 * @param set a file of the folder without its ending, e.g. {@code step_ss_mel_sdp}
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param precision {@code fp32}, {@code tf32}, {@code bf16}, {@code fp16} or {@code fp64}
 * @param plainPath plain implementations instead of the fast ones that training uses
 * @param threads CPU threads of the process; 0 leaves libtorch's choice
 */
public record ParityCheck(Path folder, String set, String device, String precision, boolean plainPath, int threads) {}
