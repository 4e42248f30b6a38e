package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.ParityRequest;
import ai.valetts.app.ParityResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code parity}: proves that this machine computes what the public reference computes. */
final class ParityCommand implements Command {
  private static final List<String> PRECISIONS = List.of("fp32", "tf32", "bf16", "fp16", "fp64");
  private static final List<String> PATHS = List.of("default", "plain");
  private static final int DEFAULT_ROWS = 30;

  @Override
  public String name() {
    return "parity";
  }

  @Override
  public String summary() {
    return "Compare this machine's numbers with those of the public reference.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("fixtures", "DIR", "the recorded numbers"));
    options.addOption(RunOptions.value("precision", "P", "fp32 (default), tf32, bf16, fp16 or fp64"));
    options.addOption(
        RunOptions.value("path", "WHICH", "default: the code that training runs; plain: what that is checked against"));
    options.addOption(RunOptions.value("rows", "N", "rows of the table, worst first; 30 unless told, 0 for all"));
    RunOptions.addMachine(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Prints tensor, error, limit and verdict, worst first. The exit code is 0 when no limit is broken, 4 otherwise.
        docs/parity.md explains the recordings, the limits and each deliberate difference.

        Examples:
          valetts parity --fixtures ../shared/fixtures
          valetts parity --fixtures ../shared/fixtures --device cuda:0 --precision bf16
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (!line.hasOption("fixtures")) {
      throw new UsageException("--fixtures DIR is needed: the folder of recorded numbers");
    }
    ParityRequest request =
        new ParityRequest(
            Path.of(line.getOptionValue("fixtures")),
            line.getOptionValue("device", "auto"),
            oneOf(line, "precision", PRECISIONS),
            oneOf(line, "path", PATHS).equals("plain"),
            wholeNumber(line, "threads", 0));
    int rows = wholeNumber(line, "rows", DEFAULT_ROWS);
    try (Operations operations = terminal.operations().get()) {
      ParityResult result = operations.parity(request);
      print(result, rows == 0 ? Integer.MAX_VALUE : rows, terminal.out());
      return result.passed() ? ExitCode.DONE : ExitCode.ENGINE;
    }
  }

  private static String oneOf(CommandLine line, String option, List<String> allowed) {
    String value = line.getOptionValue(option, allowed.get(0));
    if (!allowed.contains(value)) {
      throw new UsageException("--" + option + " is one of " + String.join(", ", allowed) + ", not \"" + value + "\"");
    }
    return value;
  }

  private static int wholeNumber(CommandLine line, String option, int otherwise) {
    String value = line.getOptionValue(option);
    if (value == null) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(value);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below for both.
    }
    throw new UsageException("--" + option + " takes a whole number from 0, not \"" + value + "\"");
  }

  private static void print(ParityResult result, int most, PrintStream out) {
    List<ParityResult.Row> compared = result.rows();
    List<ParityResult.Row> shown = compared.subList(0, Math.min(most, compared.size()));
    int width = shown.stream().mapToInt(row -> label(row).length()).max().orElse(6);
    out.println();
    out.printf("%-" + width + "s  %-9s  %9s  %9s  verdict%n", "tensor", "measure", "error", "limit");
    for (ParityResult.Row row : shown) {
      out.printf(
          Locale.ROOT,
          "%-" + width + "s  %-9s  %9.2e  %9.2e  %s%n",
          label(row),
          row.measure(),
          row.error(),
          row.limit(),
          row.passed() ? "ok" : "BROKEN");
    }
    if (shown.size() < compared.size()) {
      out.println("... and " + (compared.size() - shown.size()) + " more, further inside their limits (--rows 0 shows all)");
    }
    result.notCompared().forEach(part -> out.println("not compared: " + part));
    long broken = compared.stream().filter(row -> !row.passed()).count();
    out.println();
    out.println(
        result.passed()
            ? "Parity holds: " + compared.size() + " tensors, none beyond its limit."
            : "PARITY IS BROKEN: " + broken + " of " + compared.size() + " tensors are beyond their limits.");
  }

  private static String label(ParityResult.Row row) {
    return row.set() + ": " + row.tensor();
  }
}
