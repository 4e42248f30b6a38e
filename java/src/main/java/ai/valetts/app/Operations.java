package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import java.nio.file.Path;
import java.util.List;

/**
 * What ValeTTS can be asked to do. The command line and embedding programs call nothing else. One call at a time per
 * instance; every method blocks until its work is done.
 *
 * <p>All methods throw {@link ai.valetts.config.ConfigException}, {@link ai.valetts.engine.EngineException}, the data,
 * audio and checkpoint exceptions, or {@link java.io.UncheckedIOException}; {@link ExitCode#of} sorts them.
 */
public interface Operations extends AutoCloseable {

  /** Starts a run, or continues it where its folder already holds a checkpoint of the same configuration. */
  RunResult train(TrainRequest request);

  /** Continues a run from its newest checkpoint that verifies, here or where its copies are. */
  RunResult resume(ResumeRequest request);

  /** Speaks each line into its file. */
  SynthResult synthesize(SynthRequest request);

  /** Reads, checks and caches the recordings of a configuration without training. */
  PrepareResult prepare(PrepareRequest request);

  /** Describes a run, a checkpoint or a configuration. */
  InfoResult info(InfoRequest request);

  /** Takes training steps and says where their time goes. */
  ProfileResult profile(ProfileRequest request);

  /** Says where a run stands, from its files, also while it goes on. */
  StatusResult status(Path runDirectory);

  /**
   * Makes the page of a run from its files, also while it goes on.
   *
   * @param out null for {@code report.html} in the run's folder
   * @return the file
   */
  Path report(Path runDirectory, Path out);

  /** Makes a report on a run from its files. */
  AdviseResult advise(AdviseRequest request);

  /** Has a run that goes on save a checkpoint, and waits for it. */
  CheckpointResult checkpoint(CheckpointRequest request);

  /** Leaves a decision on a proposed change for a run, or lists its changes. */
  ApproveResult approve(ApproveRequest request);

  /**
   * The configuration with which a new run can begin with a voice's weights: the voice's own, for the recordings that the
   * overrides name.
   *
   * @param voice run, checkpoint, or public checkpoint file
   */
  ValettsConfig initialConfig(Path voice, List<ConfigOverride> overrides);

  /** Turns a public checkpoint into a voice of ours. */
  ImportResult importVoice(ImportRequest request);

  /** Writes a voice under the public reference's names. */
  ExportResult exportVoice(ExportRequest request);

  /** Compares the core with numbers recorded from the public reference. */
  ParityResult parity(ParityRequest request);

  /** Looks after the copies of a run. */
  DriveResult drive(DriveRequest request);

  @Override
  void close();
}
