package ai.valetts.app;

import ai.valetts.audio.AudioException;
import ai.valetts.audio.AudioReader;
import ai.valetts.audio.WavWriter;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.monitor.gpu.NvidiaGpus;
import ai.valetts.text.TextException;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says whether this machine is fit to train, and how to mend what is not. Every check runs the real thing: the core
 * computes a spectrogram, espeak-ng reads a word, the decoder reads a file. Changes nothing but its own temporary files.
 */
public final class Doctor {
  private static final String GPU = "GPU";

  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** Below this a full demo run (peak of some 2 GiB, see docs/memory.md) is likely to be killed. */
  private static final long SCARCE_MEMORY = 3 * GIB;

  private static final long LEAST_MEMORY = GIB;

  /** The demo's recordings, prepared audio and two checkpoints fit in less. */
  private static final long SCARCE_DISK = 2 * GIB;

  private static final long LEAST_DISK = 200 * MIB;

  private final Path cacheFolder;
  private final Path runsFolder;
  private final Supplier<Engine> openEngine;

  /**
   * The machine as it is.
   *
   * @param cacheFolder see {@link Places#cacheFolder}
   * @param runsFolder folder that runs are written to
   */
  public Doctor(Path cacheFolder, Path runsFolder) {
    this(cacheFolder, runsFolder, () -> NativeEngine.open(cacheFolder));
  }

  Doctor(Path cacheFolder, Path runsFolder, Supplier<Engine> openEngine) {
    this.cacheFolder = cacheFolder;
    this.runsFolder = runsFolder;
    this.openEngine = openEngine;
  }

  /** How much a finding matters. */
  public enum Verdict {
    /** As it should be. */
    GOOD,
    /** Training works, with less speed, comfort or quality. */
    LIMITED,
    /** Training does not work. */
    BAD
  }

  /**
   * One thing that was looked at.
   *
   * @param subject what it is
   * @param found what was found
   * @param remedy how to mend it; empty when good
   */
  public record Finding(String subject, Verdict verdict, String found, String remedy) {}

  /**
   * All findings.
   *
   * @param findings in the order of the checks
   */
  public record Report(List<Finding> findings) {
    public Report {
      findings = List.copyOf(findings);
    }

    /** Whether training works here, if only on the CPU. */
    public boolean isFit() {
      return findings.stream().noneMatch(finding -> finding.verdict() == Verdict.BAD);
    }

    /** Whether a GPU was found that can be used. */
    public boolean hasGpu() {
      return findings.stream().anyMatch(finding -> finding.subject().equals(GPU) && finding.verdict() == Verdict.GOOD);
    }
  }

  /** Runs every check; none of them throws. */
  public Report examine() {
    NativeEngine.prepareProcess(cacheFolder);
    List<Finding> findings = new ArrayList<>();
    findings.add(
        new Finding("Java", Verdict.GOOD, Runtime.version() + ", " + System.getProperty("java.vm.name"), ""));
    examineCore(findings);
    findings.add(examineGpuMeasurements());
    findings.add(examineDecoder());
    findings.add(examineEspeak());
    findings.add(examineMemory());
    findings.add(examineDisk("Disk for the cache", cacheFolder, "set VALETTS_CACHE to a folder on a larger disk"));
    findings.add(examineDisk("Disk for runs", runsFolder, "work in a folder on a larger disk, or give train --run DIR"));
    findings.add(examinePackageClient());
    return new Report(findings);
  }

  private void examineCore(List<Finding> findings) {
    EngineSystem system;
    try {
      Engine engine = openEngine.get();
      system = engine.system();
      float[] tone = new float[4096];
      for (int i = 0; i < tone.length; i++) {
        tone[i] = (float) (0.5 * Math.sin(i * 0.1));
      }
      Spectrogram mel = engine.melSpectrogram(new AudioConfig(16000, 1024, 256, 1024, 80, 0f, 0f), tone);
      if (mel.frames() != 16 || !isFinite(mel.values())) {
        throw new IllegalStateException("it computed a spectrogram of " + mel.frames() + " frames that is not finite");
      }
    } catch (EngineException | IllegalStateException | LinkageError e) {
      findings.add(
          new Finding(
              "Native core", Verdict.BAD, String.valueOf(e.getMessage()), "run ./scripts/quickstart.sh, which builds it"));
      return;
    }
    findings.add(new Finding("Native core", Verdict.GOOD, "version " + system.coreVersion() + ", computes", ""));
    findings.add(libtorch(system.libtorchVersion()));
    findings.add(
        new Finding(
            "CPU", Verdict.GOOD, system.threads() + " threads, libtorch uses " + system.cpuCapability(), ""));
    findings.add(gpu(system));
  }

  static Finding libtorch(String version) {
    Matcher matcher = Pattern.compile("(\\d+)\\.(\\d+).*").matcher(version);
    boolean known =
        matcher.matches()
            && matcher.group(1).equals("2")
            && Integer.parseInt(matcher.group(2)) >= 11
            && Integer.parseInt(matcher.group(2)) <= 14;
    return known
        ? new Finding("libtorch", Verdict.GOOD, version, "")
        : new Finding(
            "libtorch", Verdict.LIMITED, version, "ValeTTS is built for 2.11 to 2.14; others are not tested");
  }

  static Finding gpu(EngineSystem system) {
    if (!system.cudaDevices().isEmpty()) {
      return new Finding(GPU, Verdict.GOOD, String.join(", ", system.cudaDevices()), "");
    }
    return system.cudaBuilt()
        ? new Finding(
            GPU,
            Verdict.LIMITED,
            "none usable, although this libtorch has CUDA",
            "check the driver with nvidia-smi; without a GPU training runs on the CPU")
        : new Finding(
            GPU,
            Verdict.LIMITED,
            "this libtorch is built for the CPU only",
            "for a GPU, install a CUDA build of torch and run ./scripts/build.sh; the demo needs none");
  }

  private static Finding examineGpuMeasurements() {
    AtomicReference<String> absence = new AtomicReference<>("");
    Optional<NvidiaGpus> gpus = NvidiaGpus.open(absence::set);
    if (gpus.isEmpty()) {
      return new Finding(
          "GPU measurements", Verdict.LIMITED, absence.get(), "on a machine with a GPU, install its driver whole; without NVML a"
              + " run does not record how busy, full, hot and hungry the GPU is");
    }
    try (NvidiaGpus some = gpus.get()) {
      return new Finding("GPU measurements", Verdict.GOOD, "NVML reads " + String.join(", ", some.names()), "");
    }
  }

  private static Finding examineDecoder() {
    Path file = null;
    try {
      file = Files.createTempFile("valetts-doctor", ".wav");
      WavWriter.write(file, new float[8000], 8000);
      int samples = AudioReader.read(file, 16000).samples().length;
      if (Math.abs(samples - 16000) > 100) {
        return new Finding("Audio decoder", Verdict.BAD, "one second became " + samples + " samples at 16,000 Hz", "report this");
      }
      return new Finding("Audio decoder", Verdict.GOOD, "FFmpeg reads and resamples", "");
    } catch (IOException e) {
      return new Finding(
          "Audio decoder", Verdict.BAD, ExitCode.explain(e), "make the temporary folder writable, or pass -Djava.io.tmpdir=DIR");
    } catch (AudioException e) {
      return AudioReader.decoderProblem()
          .map(problem -> withoutDecoder(problem, AudioReader.carriesDecoder()))
          .orElse(new Finding("Audio decoder", Verdict.BAD, e.getMessage(), "report this"));
    } finally {
      delete(file);
    }
  }

  static Finding withoutDecoder(String problem, boolean carried) {
    return carried
        ? new Finding("Audio decoder", Verdict.BAD, problem, "install libudev: sudo apt-get install libudev1")
        : new Finding(
            "Audio decoder",
            Verdict.LIMITED,
            "this build has none; mono 16-bit WAV at the configuration's rate is read",
            "use a build with FFmpeg for other formats and rates");
  }

  private static Finding examineEspeak() {
    TextConfig portuguese = new TextConfig("espeak", "pt-br", false, 400);
    try (TextFrontEnd frontEnd = TextFrontEnds.open(portuguese, List::of, notice -> {})) {
      String phonemes = frontEnd.encode("teste", "pt-br").phonemes();
      String version = TextFrontEnds.espeakVersion(problem -> {}).orElse("?");
      return new Finding("espeak-ng", Verdict.GOOD, version + ", reads pt-br (teste: " + phonemes + ")", "");
    } catch (TextException e) {
      return new Finding(
          "espeak-ng",
          Verdict.LIMITED,
          e.getMessage(),
          "sudo apt-get install espeak-ng; without it text is read by characters and pronunciation is learned slower");
    }
  }

  private static Finding examineMemory() {
    long available = availableMemoryBytes();
    if (available < 0) {
      return new Finding("Memory", Verdict.LIMITED, "cannot be read on this system", "");
    }
    String found = gibibytes(available) + " available";
    if (available < LEAST_MEMORY) {
      return new Finding("Memory", Verdict.BAD, found, "close other programs; the demo needs " + gibibytes(SCARCE_MEMORY));
    }
    return available < SCARCE_MEMORY
        ? new Finding("Memory", Verdict.LIMITED, found, "use a smaller --set data.batchSize, or close other programs")
        : new Finding("Memory", Verdict.GOOD, found, "");
  }

  /** What a new process may use: the machine's, or less where a control group limits it. */
  static long availableMemoryBytes() {
    try {
      long available = -1;
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          available = Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
      }
      Path limit = Path.of("/sys/fs/cgroup/memory.max");
      Path used = Path.of("/sys/fs/cgroup/memory.current");
      if (Files.isReadable(limit) && Files.isReadable(used)) {
        String text = Files.readString(limit).strip();
        if (!text.equals("max")) {
          available = Math.min(available, Long.parseLong(text) - Long.parseLong(Files.readString(used).strip()));
        }
      }
      return available;
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
  }

  static Finding examineDisk(String subject, Path folder, String remedy) {
    Path existing = folder.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (existing == null || !Files.isDirectory(existing) || !Files.isWritable(existing)) {
      return new Finding(subject, Verdict.BAD, existing + " is not a folder that can be written to", remedy);
    }
    try {
      FileStore store = Files.getFileStore(existing);
      long free = store.getUsableSpace();
      String found = folder.toAbsolutePath() + ", " + gibibytes(free) + " free";
      if (free < LEAST_DISK) {
        return new Finding(subject, Verdict.BAD, found, remedy);
      }
      return new Finding(
          subject, free < SCARCE_DISK ? Verdict.LIMITED : Verdict.GOOD, found, free < SCARCE_DISK ? remedy : "");
    } catch (IOException e) {
      return new Finding(subject, Verdict.LIMITED, "free space unknown: " + ExitCode.explain(e), remedy);
    }
  }

  private static Finding examinePackageClient() {
    List<String> missing = new ArrayList<>();
    for (String program : List.of("apt-get", "dpkg")) {
      if (!isOnPath(program, System.getenv().getOrDefault("PATH", ""))) {
        missing.add(program);
      }
    }
    return missing.isEmpty()
        ? new Finding("Demo recordings", Verdict.GOOD, "apt-get and dpkg can fetch them", "")
        : new Finding(
            "Demo recordings",
            Verdict.LIMITED,
            String.join(" and ", missing) + " not found, so train --demo cannot fetch them",
            "train on your own LJSpeech-style folder: train --demo --data DIR:speaker:language");
  }

  static boolean isOnPath(String program, String path) {
    for (String folder : path.split(":")) {
      if (!folder.isBlank() && Files.isExecutable(Path.of(folder, program))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isFinite(float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", (double) bytes / GIB);
  }

  private static void delete(Path file) {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        // A temporary file of a few kilobytes: the system's own cleaning takes it.
        file.toFile().deleteOnExit();
      }
    }
  }
}
