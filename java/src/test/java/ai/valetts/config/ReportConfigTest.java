package ai.valetts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportConfigTest {

  private static ReportConfig report(String... overrides) {
    return ConfigLoader.bundled("tiny", Arrays.stream(overrides).map(ConfigOverride::parse).toList()).report();
  }

  private static String refusal(String override) {
    ConfigException e = catchThrowableOfType(ConfigException.class, () -> report(override));
    assertThat(e).as(override).isNotNull();
    return e.getMessage();
  }

  @Test
  void bundledConfigurationsSayWhatHoldsWithoutTheSection() {
    for (String name : ConfigLoader.BUNDLED) {
      assertThat(ConfigLoader.bundled(name, List.of()).report()).as(name).isEqualTo(ReportConfig.DEFAULT);
    }
    String yaml = ConfigLoader.bundledText("tiny");
    assertThat(ConfigLoader.parse("old", yaml.substring(0, yaml.indexOf("\nreport:")) + "\n", List.of()).report())
        .isEqualTo(ReportConfig.DEFAULT);
  }

  @Test
  void asksNoModelByItselfAndChangesNothing() {
    ReportConfig config = ReportConfig.DEFAULT;
    assertThat(config.apply()).isFalse();
    assertThat(config.llm().atValidation()).isFalse();
    assertThat(config.llm().everyEpochs()).isNull();
    assertThat(config.llm().everyMinutes()).isNull();
    assertThat(report("report.llm=null").llm()).isNull();
  }

  @Test
  void refusesAKeyInPlaceOfAFileWithoutRepeatingIt() {
    assertThat(refusal("report.llm.keyFile=sk-or-v1-0123456789"))
        .contains("report.llm.keyFile", "never a key").doesNotContain("0123456789");
    assertThat(refusal("report.llm.key=sk-or-v1-0123456789"))
        .contains("report.llm.key is not a key").doesNotContain("0123456789");
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThat(refusal("report.language=fr")).contains("pt, en, es");
    assertThat(refusal("report.llm.ask=[]")).contains("names no model");
    assertThat(refusal("report.llm.baseUrl=ftp://x")).contains("https://openrouter.ai/api/v1");
    assertThat(refusal("report.llm.baseUrl=https://user:pass@x/")).contains("without user");
    assertThat(refusal("report.llm.maxUsd=-1")).contains("report.llm.maxUsd");
    assertThat(refusal("report.llm.everyMinutes=0")).contains("more than 0");
    assertThat(refusal("report.llm.modls=1")).contains("report.llm.modls is not a key");
    assertThat(refusal("report.changes=[{key: data.batchSize, least: 1, most: 2, maxFactor: 2}]"))
        .contains("optimizer.learningRate");
    assertThat(refusal("report.changes=[{key: optimizer.klWeight, least: 2, most: 1, maxFactor: 2}]")).contains("less than most");
    assertThat(refusal("report.changes=[{key: optimizer.klWeight, least: 1, most: 2, maxFactor: 1}]")).contains("above 1");
    assertThat(refusal("report.changes=[{key: optimizer.klWeight, least: 1, most: 2, maxFactor: 2},"
        + " {key: optimizer.klWeight, least: 1, most: 2, maxFactor: 2}]")).contains("listed twice");
  }

  @Test
  void mayChangeDuringARun() {
    ValettsConfig saved = ConfigLoader.bundled("tiny", List.of());
    ValettsConfig requested = ConfigLoader.bundled("tiny", List.of(ConfigOverride.parse("report.apply=true")));
    assertThat(ConfigDifference.refused(saved, requested)).isEmpty();
  }
}
