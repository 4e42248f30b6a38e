package ai.valetts.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineStatus;
import ai.valetts.engine.StepPhase;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Opaque;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Names and values of the binding are those of the header. */
class CoreBindingParityTest {
  private final CoreHeader header = CoreHeader.read();

  @Test
  void bindsEveryFunctionOfTheHeader() {
    Set<String> bound =
        Arrays.stream(CoreBinding.class.getDeclaredMethods())
            .filter(method -> Modifier.isNative(method.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toSet());
    assertThat(bound).containsExactlyInAnyOrderElementsOf(header.functions());
  }

  @Test
  void bindsEveryMemberOfEveryStruct() {
    Map<String, Set<String>> bound = new TreeMap<>();
    for (Class<?> type : CoreBinding.class.getDeclaredClasses()) {
      if (!type.isAnnotationPresent(Opaque.class)) {
        Set<String> members =
            Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isNative(method.getModifiers()) && !method.getName().startsWith("allocate"))
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        bound.put(type.getAnnotation(Name.class).value()[0], members);
      }
    }
    Map<String, Set<String>> declared = new TreeMap<>();
    header.structs().forEach((name, members) -> declared.put(name, new TreeSet<>(members)));
    assertThat(bound).isEqualTo(declared);
  }

  @Test
  void everyStatusHasItsHeaderValue() {
    Map<String, Integer> constants = header.constants();
    for (EngineStatus status : EngineStatus.values()) {
      assertThat(constants).containsEntry("VT_" + status.name(), status.code());
    }
    int first = constants.get("VT_OK");
    int last = constants.get("VT_INTERNAL");
    assertThat(EngineStatus.values()).hasSize(last - first + 1);
  }

  @ParameterizedTest
  @EnumSource(value = EngineStatus.class, names = "OK", mode = EnumSource.Mode.EXCLUDE)
  void everyStatusHasItsOwnException(EngineStatus status) {
    EngineException exception = EngineException.of(status, "model.hiddenChannels is 0");
    assertThat(exception.status()).isEqualTo(status);
    assertThat(exception).hasMessage("model.hiddenChannels is 0");
  }

  @Test
  void aStatusOfANewerCoreIsInternal() {
    assertThat(EngineStatus.of(77)).isEqualTo(EngineStatus.INTERNAL);
    assertThat(EngineStatus.of(-1)).isEqualTo(EngineStatus.INTERNAL);
  }

  @Test
  void configurationNamesStandAtTheirHeaderValues() {
    Map<String, Integer> constants = header.constants();
    assertPositions(constants, "VT_SPECTROGRAM_", SessionSettingsWriter.SPECTROGRAMS);
    assertPositions(constants, "VT_FLOW_", SessionSettingsWriter.FLOWS);
    assertPositions(constants, "VT_DURATION_DISCRIMINATOR_", SessionSettingsWriter.DURATION_DISCRIMINATORS);
    assertPositions(constants, "VT_DECODER_", SessionSettingsWriter.DECODERS);
    assertThat(SessionSettingsWriter.MAX_UPSAMPLES).isEqualTo(constants.get("VT_MAX_UPSAMPLES"));
    assertThat(SessionSettingsWriter.MAX_RESBLOCK_KERNELS).isEqualTo(constants.get("VT_MAX_RESBLOCK_KERNELS"));
    assertThat(SessionSettingsWriter.MAX_DILATIONS).isEqualTo(constants.get("VT_MAX_DILATIONS"));
    assertThat(NativeTrainingSession.DISCRIMINATORS).isEqualTo(constants.get("VT_DISCRIMINATORS"));
    assertThat(NativeTrainingSession.UNREAD_STEPS).isEqualTo(constants.get("VT_UNREAD_STEPS"));
    assertThat(NativeTrainingSession.LOAD_STATE).isEqualTo(constants.get("VT_LOAD_STATE"));
    assertThat(NativeTrainingSession.LOAD_WEIGHTS).isEqualTo(constants.get("VT_LOAD_WEIGHTS"));
    for (StepPhase phase : StepPhase.values()) {
      assertThat(constants).containsEntry("VT_PHASE_" + phase.name(), phase.ordinal());
    }
    assertThat(NativeEngine.SPECTROGRAM_MEL).isEqualTo(constants.get("VT_SPECTROGRAM_MEL"));
    assertThat(NativeEngine.SPECTROGRAM_LINEAR).isEqualTo(constants.get("VT_SPECTROGRAM_LINEAR"));
  }

  private static void assertPositions(Map<String, Integer> constants, String prefix, java.util.List<String> names) {
    assertThat(constants.keySet().stream().filter(name -> name.startsWith(prefix))).hasSize(names.size());
    for (int i = 0; i < names.size(); i++) {
      assertThat(constants).containsEntry(prefix + names.get(i).toUpperCase(java.util.Locale.ROOT), i);
    }
  }
}
