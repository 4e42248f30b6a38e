package ai.valetts.app;

import ai.valetts.engine.EngineSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Says in a few names and versions what a run is computed with. */
final class RunEnvironment {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  private RunEnvironment() {}

  static Map<String, String> describe(EngineSystem system) {
    Map<String, String> environment = new LinkedHashMap<>();
    String version = RunEnvironment.class.getPackage().getImplementationVersion();
    environment.put("ValeTTS", (version == null ? "development build" : version) + ", core " + system.coreVersion());
    environment.put("libtorch", system.libtorchVersion() + (system.cudaBuilt() ? " with CUDA" : " for the CPU"));
    environment.put("processor",
        processor() + ", " + system.threads() + (system.threads() == 1 ? " thread" : " threads") + " used, "
            + system.cpuCapability());
    environment.put("GPUs", system.cudaDevices().isEmpty() ? "none" : String.join(", ", system.cudaDevices()));
    environment.put("Java", Runtime.version().toString());
    environment.put("system",
        System.getProperty("os.name") + " " + System.getProperty("os.version") + ", " + System.getProperty("os.arch"));
    return environment;
  }

  private static String processor() {
    try {
      for (String line : Files.readAllLines(CPUINFO)) {
        if (line.startsWith("model name")) {
          return line.substring(line.indexOf(':') + 1).strip();
        }
      }
    } catch (IOException e) {
      return "unknown processor";
    }
    return "unknown processor";
  }
}
