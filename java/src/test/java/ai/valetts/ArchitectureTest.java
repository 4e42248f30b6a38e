package ai.valetts;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.engine.Batch;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Who may import whom. A package that is not in the table fails the test: it needs a place in it first. */
class ArchitectureTest {
  private static final Path CHECKOUT = Path.of(System.getProperty("valetts.checkout", ".."));
  private static final Path SOURCES = CHECKOUT.resolve("java/src/main/java");

  private static final String JACKSON = "com.fasterxml.jackson..";
  private static final String BYTEDECO = "org.bytedeco..";

  /** Each package with what it may use beyond the JDK and itself. */
  private static final Map<String, List<String>> LAW =
      Map.ofEntries(
          Map.entry("config", List.of("org.yaml.snakeyaml..")),
          Map.entry("event", List.of()),
          Map.entry("audio", List.of("ai.valetts.config", BYTEDECO)),
          Map.entry("text", List.of("ai.valetts.config", "ai.valetts.text.normalization", "com.sun.jna..", JACKSON)),
          Map.entry("text.normalization", List.of("com.ibm.icu..")),
          Map.entry("engine", List.of("ai.valetts.config")),
          Map.entry("engine.jni", List.of("ai.valetts.engine", "ai.valetts.config", BYTEDECO)),
          Map.entry(
              "data.corpus",
              List.of("ai.valetts.config", "ai.valetts.audio", JACKSON, "org.apache.commons.compress..")),
          Map.entry(
              "data",
              List.of(
                  "ai.valetts.config",
                  "ai.valetts.text",
                  "ai.valetts.audio",
                  "ai.valetts.engine",
                  "ai.valetts.data.corpus",
                  JACKSON)),
          Map.entry("checkpoint", List.of("ai.valetts.config", "ai.valetts.engine", JACKSON)),
          Map.entry(
              "interchange", List.of("ai.valetts.config", "ai.valetts.text", "ai.valetts.checkpoint", JACKSON)),
          Map.entry(
              "training",
              List.of(
                  "ai.valetts.config",
                  "ai.valetts.data",
                  "ai.valetts.engine",
                  "ai.valetts.checkpoint",
                  "ai.valetts.event")),
          Map.entry("monitor.gpu", List.of("com.sun.jna..")),
          Map.entry(
              "monitor",
              List.of(
                  "ai.valetts.config",
                  "ai.valetts.event",
                  "ai.valetts.monitor.gpu",
                  "me.tongfei.progressbar..",
                  JACKSON)),
          Map.entry(
              "report",
              List.of("ai.valetts.config", "ai.valetts.event", "ai.valetts.monitor", "com.networknt.schema..", JACKSON)),
          Map.entry("report.llm", List.of("ai.valetts.config", "ai.valetts.report", JACKSON)),
          Map.entry("storage.drive", List.of("ai.valetts.storage", "com.google..", JACKSON)),
          Map.entry("storage", List.of("ai.valetts.config", "ai.valetts.event", JACKSON)),
          Map.entry(
              "report.page", List.of("ai.valetts.config", "ai.valetts.event", "ai.valetts.monitor", JACKSON)),
          Map.entry(
              "evaluation", List.of("ai.valetts.config", "ai.valetts.engine", "ai.valetts.text", "ai.valetts.audio")),
          Map.entry(
              "app",
              List.of(
                  "ai.valetts.config",
                  "ai.valetts.event",
                  "ai.valetts.audio",
                  "ai.valetts.text",
                  "ai.valetts.engine",
                  "ai.valetts.engine.jni",
                  "ai.valetts.data",
                  "ai.valetts.data.corpus",
                  "ai.valetts.checkpoint",
                  "ai.valetts.interchange",
                  "ai.valetts.training",
                  "ai.valetts.monitor",
                  "ai.valetts.monitor.gpu",
                  "ai.valetts.report",
                  "ai.valetts.report.page",
                  "ai.valetts.report.llm",
                  "ai.valetts.storage",
                  "ai.valetts.storage.drive",
                  "ai.valetts.evaluation",
                  JACKSON)),
          Map.entry("cli", List.of("ai.valetts.app", "ai.valetts.config", "org.apache.commons.cli..")));

  private static JavaClasses product;

  @BeforeAll
  static void read() {
    product =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("ai.valetts");
  }

  @TestFactory
  Stream<DynamicTest> keepsThePackageLaw() {
    return LAW.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      List<String> allowed = new ArrayList<>(entry.getValue());
                      allowed.add("java..");
                      allowed.add("ai.valetts." + entry.getKey());
                      classes()
                          .that()
                          .resideInAPackage("ai.valetts." + entry.getKey())
                          .should()
                          .onlyDependOnClassesThat(
                              resideInAnyPackage(allowed.toArray(String[]::new)).or(primitiveArrays()))
                          .check(product);
                    }));
  }

  /** Arrays of primitives belong to no package. */
  private static DescribedPredicate<JavaClass> primitiveArrays() {
    return DescribedPredicate.describe(
        "primitives and their arrays", type -> type.getBaseComponentType().isPrimitive());
  }

  @Test
  void hasALawForEveryPackage() {
    assertThat(product.stream().map(JavaClass::getPackageName).map(name -> name.replace("ai.valetts.", "")))
        .isSubsetOf(LAW.keySet());
  }

  @Test
  void documentsEveryPackage() throws IOException {
    String text = Files.readString(CHECKOUT.resolve("docs/architecture.md"));
    List<String> rows =
        Pattern.compile("(?m)^\\| `([a-z.]+)` \\|").matcher(text).results().map(row -> row.group(1)).toList();
    assertThat(rows).containsExactlyInAnyOrderElementsOf(LAW.keySet());
  }

  @Test
  void hasNoCycles() {
    slices().matching("ai.valetts.(*)..").should().beFreeOfCycles().check(product);
  }

  @Test
  void letsNobodyImportTheCommandLineOrTheApplication() {
    noClasses()
        .that()
        .resideOutsideOfPackages("ai.valetts.cli", "ai.valetts.app")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("ai.valetts.cli", "ai.valetts.app")
        .check(product);
    noClasses()
        .that()
        .resideInAPackage("ai.valetts.app")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.valetts.cli")
        .check(product);
  }

  @Test
  void keepsTheBindingInTwoPackages() {
    noClasses()
        .that()
        .resideOutsideOfPackages("ai.valetts.engine.jni", "ai.valetts.audio")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(BYTEDECO)
        .check(product);
  }

  @Test
  void givesDataOnlyTheBatchOfTheEngine() {
    noClasses()
        .that()
        .resideInAPackage("ai.valetts.data")
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "engine types other than Batch",
                type ->
                    type.getPackageName().equals("ai.valetts.engine")
                        && !type.getName().startsWith(Batch.class.getName())))
        .check(product);
  }

  @Test
  void namesThingsByWhatTheyAre() {
    List<String> vague = List.of("util", "utils", "common", "helper", "helpers", "manager", "misc");
    assertThat(product.stream().map(JavaClass::getPackageName).flatMap(name -> Stream.of(name.split("\\."))))
        .doesNotContainAnyElementsOf(vague);
    assertThat(product.stream().map(JavaClass::getSimpleName))
        .noneMatch(name -> name.matches(".*(Util|Utils|Helper|Manager|Impl)"));
  }

  @Test
  void endsTheProcessOnlyInMainAndAfterASignal() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("ai.valetts.cli.Main")
        .and()
        .doNotHaveFullyQualifiedName("ai.valetts.app.SignalStop")
        .and()
        .doNotHaveFullyQualifiedName("ai.valetts.app.Supervisor")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(product);
  }

  @Test
  void printsOnlyFromTheCommandLineAndTheConsoleMonitor() {
    noClasses()
        .that()
        .resideOutsideOfPackages("ai.valetts.cli", "ai.valetts.app", "ai.valetts.monitor")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(product);
  }

  @Test
  void explainsEveryPackageAndPublicType() throws IOException {
    List<String> unexplained = new ArrayList<>();
    for (Path file : files(SOURCES)) {
      if (!Files.exists(file.resolveSibling("package-info.java"))) {
        unexplained.add(file.getParent() + " has no package-info.java");
      }
      List<String> lines = Files.readAllLines(file);
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).matches("public ((abstract|final|sealed|non-sealed) )*(class|record|interface|enum) .*")) {
          int above = i - 1;
          while (above >= 0 && lines.get(above).startsWith("@")) {
            above--;
          }
          if (above < 0 || !lines.get(above).endsWith("*/")) {
            unexplained.add(file + ":" + (i + 1) + " has no Javadoc");
          }
        }
      }
    }
    assertThat(unexplained).isEmpty();
  }

  @Test
  void reachesEveryResourceFromTheCode() throws IOException {
    StringBuilder code = new StringBuilder();
    for (Path file : files(SOURCES)) {
      code.append(Files.readString(file));
    }
    Path resources = CHECKOUT.resolve("java/src/main/resources");
    if (Files.isDirectory(resources)) {
      assertThat(files(resources))
          .allSatisfy(file -> assertThat(code).as(file.toString()).contains(file.getFileName().toString()));
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
