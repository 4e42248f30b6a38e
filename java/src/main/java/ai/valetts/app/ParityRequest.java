package ai.valetts.app;

import java.nio.file.Path;

/**
 * Compare the core, on this machine, with numbers recorded from the public reference.
 *
 * @param fixtures the folder of recordings, laid out as {@code docs/parity.md} says
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param precision {@code fp32}, {@code tf32}, {@code bf16}, {@code fp16} or {@code fp64}
 * @param plainPath plain implementations instead of the fast ones that training uses
 * @param threads CPU threads; 0 takes the machine's
 */
public record ParityRequest(Path fixtures, String device, String precision, boolean plainPath, int threads) {}
