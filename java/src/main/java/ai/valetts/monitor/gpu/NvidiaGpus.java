package ai.valetts.monitor.gpu;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The machine's NVIDIA GPUs through NVML, which comes with the driver and needs no CUDA. Reading takes some milliseconds
 * and disturbs no kernel. One thread; the owner closes it.
 */
public final class NvidiaGpus implements AutoCloseable {
  private static final int NAME_BYTES = 96;
  private static final double GIB = 1L << 30;

  private final NvmlLibrary nvml;
  private final List<Pointer> devices = new ArrayList<>();

  private NvidiaGpus(NvmlLibrary nvml) {
    this.nvml = nvml;
  }

  /**
   * Starts the library; empty where there is none, or no GPU.
   *
   * @param absence told why it is empty, in a few words
   */
  public static Optional<NvidiaGpus> open(Consumer<String> absence) {
    return open(NvmlLibrary.NAME, absence);
  }

  /**
   * @param library name or path of the shared library
   */
  static Optional<NvidiaGpus> open(String library, Consumer<String> absence) {
    NvmlLibrary nvml;
    try {
      nvml = Native.load(library, NvmlLibrary.class);
      int status = nvml.nvmlInit_v2();
      if (status != NvmlLibrary.SUCCESS) {
        absence.accept("NVML does not start: " + nvml.nvmlErrorString(status));
        return Optional.empty();
      }
    } catch (LinkageError e) {
      absence.accept("there is no NVML (" + NvmlLibrary.NAME + "), which comes with NVIDIA's driver");
      return Optional.empty();
    }
    NvidiaGpus gpus = new NvidiaGpus(nvml);
    IntByReference count = new IntByReference();
    nvml.nvmlDeviceGetCount_v2(count);
    for (int i = 0; i < count.getValue(); i++) {
      PointerByReference device = new PointerByReference();
      if (nvml.nvmlDeviceGetHandleByIndex_v2(i, device) == NvmlLibrary.SUCCESS) {
        gpus.devices.add(device.getValue());
      }
    }
    if (gpus.devices.isEmpty()) {
      gpus.close();
      absence.accept("NVML knows of no GPU");
      return Optional.empty();
    }
    return Optional.of(gpus);
  }

  /** Names of the GPUs, in the driver's order. */
  public List<String> names() {
    List<String> names = new ArrayList<>();
    for (Pointer device : devices) {
      byte[] name = new byte[NAME_BYTES];
      nvml.nvmlDeviceGetName(device, name, name.length);
      names.add(new String(name, StandardCharsets.UTF_8).split("\0", 2)[0]);
    }
    return names;
  }

  /** Each GPU as it is now. */
  public List<GpuReading> read() {
    List<GpuReading> readings = new ArrayList<>();
    NvmlLibrary.Utilization utilization = new NvmlLibrary.Utilization();
    NvmlLibrary.Memory memory = new NvmlLibrary.Memory();
    IntByReference value = new IntByReference();
    for (int i = 0; i < devices.size(); i++) {
      Pointer device = devices.get(i);
      boolean knowsUse = good(nvml.nvmlDeviceGetUtilizationRates(device, utilization));
      boolean knowsMemory = good(nvml.nvmlDeviceGetMemoryInfo(device, memory));
      double watts = good(nvml.nvmlDeviceGetPowerUsage(device, value)) ? value.getValue() / 1000.0 : Double.NaN;
      double celsius =
          good(nvml.nvmlDeviceGetTemperature(device, NvmlLibrary.SENSOR_GPU, value)) ? value.getValue() : Double.NaN;
      readings.add(
          new GpuReading(
              i,
              knowsUse ? utilization.gpu : Double.NaN,
              knowsMemory ? memory.used / GIB : Double.NaN,
              knowsMemory ? memory.total / GIB : Double.NaN,
              watts,
              celsius));
    }
    return readings;
  }

  private static boolean good(int status) {
    return status == NvmlLibrary.SUCCESS;
  }

  @Override
  public void close() {
    devices.clear();
    nvml.nvmlShutdown();
  }
}
