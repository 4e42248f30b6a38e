package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import ai.valetts.config.DataConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.DemoCorpus;
import ai.valetts.data.PreparationProgress;
import ai.valetts.engine.Engine;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.event.RunListener;
import ai.valetts.monitor.ConsoleCount;
import ai.valetts.monitor.ConsoleProgress;
import java.io.Console;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * ValeTTS for programs. The command line uses it as any other program can:
 *
 * <pre>{@code
 * try (ValeTts valetts = ValeTts.embedded(System.err::println, config -> List.of())) {
 *   RunResult run = valetts.train(new TrainRequest(config, Path.of("runs/ana"), List.of()));
 *   valetts.synthesize(new SynthRequest(run.runDirectory(), lines, null, null, null, null, null, 0, "auto", 0));
 * }
 * }</pre>
 *
 * <p>The native core is loaded by the first call that computes. One call at a time; {@link #close()} ends it.
 */
public final class ValeTts implements Operations {
  private final Path cacheFolder;
  private final Consumer<String> notice;
  private final PreparationProgress progress;
  private final RunListeners listeners;
  private final Supplier<Engine> openEngine;
  private final boolean stopOnSignal;
  private Engine engine;
  private SignalStop signals;

  /** Makes the listeners of one run; each run needs its own, since a run closes them. */
  public interface RunListeners {
    List<RunListener> forRun(ValettsConfig config);
  }

  ValeTts(
      Path cacheFolder,
      Consumer<String> notice,
      RunListeners listeners,
      Supplier<Engine> openEngine,
      boolean stopOnSignal) {
    this(cacheFolder, new NoticedProgress(notice, System::nanoTime), listeners, openEngine, stopOnSignal);
  }

  private ValeTts(
      Path cacheFolder,
      PreparationProgress progress,
      RunListeners listeners,
      Supplier<Engine> openEngine,
      boolean stopOnSignal) {
    this.cacheFolder = cacheFolder;
    this.notice = progress::notice;
    this.progress = progress;
    this.listeners = listeners;
    this.openEngine = openEngine;
    this.stopOnSignal = stopOnSignal;
  }

  /**
   * For a program that shows progress itself, if at all, and handles signals itself.
   *
   * @param notice told what a person should know, on the calling thread
   * @param listeners of each run; they are told of its events on a thread of their own and closed with it
   */
  public static ValeTts embedded(Consumer<String> notice, RunListeners listeners) {
    Path cache = Places.cacheFolder();
    NativeEngine.prepareProcess(cache);
    return new ValeTts(cache, notice, listeners, () -> NativeEngine.open(cache), false);
  }

  /**
   * For the command line: notices and progress are printed, and during training Ctrl-C saves, leaves and ends the
   * process with code 130.
   */
  public static ValeTts onConsole(PrintStream out) {
    Path cache = Places.cacheFolder();
    NativeEngine.prepareProcess(cache);
    boolean terminal = isTerminal();
    RunListeners listeners =
        config -> List.of(new ConsoleProgress(out, terminal, config.monitor().logEverySteps()));
    PreparationProgress progress =
        terminal
            ? new BarProgress(new ConsoleCount(out))
            : new NoticedProgress(out::println, System::nanoTime);
    return new ValeTts(cache, progress, listeners, () -> NativeEngine.open(cache), true);
  }

  /** From Java 22 on there is a console even where output is redirected, and a method that tells them apart. */
  private static boolean isTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException beforeJava22) {
      return true;
    }
  }

  /** Languages that there are demo recordings for, the usual one first. */
  public static List<String> demoLanguages() {
    return DemoCorpus.languages();
  }

  @Override
  public RunResult train(TrainRequest request) {
    watchSignals();
    ValettsConfig config = withDemo(request.config(), request.demoLanguages());
    return trainRun(config)
        .start(config, new RunDirectory(request.runDirectory()), request.initFrom(), request.partial());
  }

  @Override
  public RunResult resume(ResumeRequest request) {
    watchSignals();
    Path folder = request.runDirectory();
    List<ConfigOverride> overrides = new ArrayList<>();
    if (request.fromDrive()) {
      Copies.Fetched fetched = new Copies(notice).fetch(folder, request.location(), null);
      folder = fetched.runDirectory();
      overrides.addAll(fetched.overrides());
    }
    overrides.addAll(request.overrides());
    RunDirectory run = new RunDirectory(folder);
    ValettsConfig config = TrainRun.savedConfig(run, overrides, notice);
    return trainRun(config).resume(config, run);
  }

  @Override
  public SynthResult synthesize(SynthRequest request) {
    return new Synthesis(engine(), notice).run(request);
  }

  @Override
  public PrepareResult prepare(PrepareRequest request) {
    return new Preparation(cacheFolder, progress).run(withDemo(request.config(), request.demoLanguages()));
  }

  @Override
  public ParityResult parity(ParityRequest request) {
    return new Parity(engine(), notice).run(request);
  }

  @Override
  public InfoResult info(InfoRequest request) {
    Description description = new Description(this::engine, notice);
    return request.folder() != null
        ? description.ofFolder(request.folder())
        : description.ofConfig(request.config(), request.step());
  }

  @Override
  public ProfileResult profile(ProfileRequest request) {
    PreparationProgress told = request.quiet() ? new NoticedProgress(text -> {}, System::nanoTime) : progress;
    ValettsConfig config =
        request.config() == null
            ? TrainRun.savedConfig(new RunDirectory(request.runDirectory()), request.overrides(), told::notice)
            : withDemo(request.config(), request.demoLanguages(), told::notice);
    return new Profiling(engine(), cacheFolder, told).run(request, config);
  }

  @Override
  public StatusResult status(Path runDirectory) {
    return RunStatus.of(new RunDirectory(runDirectory));
  }

  @Override
  public Path report(Path runDirectory, Path out) {
    return RunStatus.page(new RunDirectory(runDirectory), out);
  }

  @Override
  public AdviseResult advise(AdviseRequest request) {
    return new Advice(notice).run(request);
  }

  @Override
  public CheckpointResult checkpoint(CheckpointRequest request) {
    return new CheckpointInbox(new RunDirectory(request.runDirectory()))
        .ask(Duration.ofMillis(Math.round(request.waitSeconds() * 1000)));
  }

  @Override
  public ApproveResult approve(ApproveRequest request) {
    return new Advice(notice).approve(request);
  }

  @Override
  public ValettsConfig initialConfig(Path voice, List<ConfigOverride> overrides) {
    return InitialVoice.config(voice, overrides);
  }

  @Override
  public ImportResult importVoice(ImportRequest request) {
    return new Interchange(this::engine, notice).importVoice(request);
  }

  @Override
  public ExportResult exportVoice(ExportRequest request) {
    return new Interchange(this::engine, notice).exportVoice(request);
  }

  @Override
  public DriveResult drive(DriveRequest request) {
    return new Copies(notice).run(request);
  }

  /** What the native core was built with and can see; loads it. */
  public Engine engine() {
    if (engine == null) {
      engine = openEngine.get();
    }
    return engine;
  }

  @Override
  public void close() {
    if (signals != null) {
      signals.close();
      signals = null;
    }
  }

  private TrainRun trainRun(ValettsConfig config) {
    return new TrainRun(engine(), cacheFolder, progress, listeners.forRun(config), control -> {
      if (signals != null) {
        signals.loopStarts(control);
      }
    });
  }

  private void watchSignals() {
    if (stopOnSignal && signals == null) {
      signals = new SignalStop(notice);
    }
  }

  private ValettsConfig withDemo(ValettsConfig config, List<String> languages) {
    return withDemo(config, languages, notice);
  }

  private ValettsConfig withDemo(ValettsConfig config, List<String> languages, Consumer<String> notice) {
    if (languages.isEmpty()) {
      return config;
    }
    List<DataConfig.Source> sources = new ArrayList<>(config.data().sources());
    sources.addAll(DemoCorpus.fetch(languages, cacheFolder, notice));
    return config.withSources(sources);
  }
}
