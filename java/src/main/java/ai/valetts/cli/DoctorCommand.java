package ai.valetts.cli;

import ai.valetts.app.Doctor;
import ai.valetts.app.ExitCode;
import ai.valetts.app.Places;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code doctor}: says whether the machine is fit, and how to mend what is not. */
final class DoctorCommand implements Command {
  @Override
  public String name() {
    return "doctor";
  }

  @Override
  public String summary() {
    return "Check this machine, and say how to mend what is not fit.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    return new Options();
  }

  @Override
  public String notes() {
    return """
        good: as it should be. limited: training works, with less speed, comfort or quality. BAD: training does not
        work. The exit code is 0 when nothing is bad, 4 otherwise.
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    Doctor.Report report = new Doctor(Places.cacheFolder(), Path.of("runs")).examine();
    int width = report.findings().stream().mapToInt(finding -> finding.subject().length()).max().orElse(0);
    for (Doctor.Finding finding : report.findings()) {
      String word =
          switch (finding.verdict()) {
            case GOOD -> "good   ";
            case LIMITED -> "limited";
            case BAD -> "BAD    ";
          };
      String indent = " ".repeat(word.length() + width + 4);
      terminal
          .out()
          .println(word + "  " + finding.subject() + " ".repeat(width - finding.subject().length() + 2) + finding.found());
      if (!finding.remedy().isEmpty()) {
        terminal.out().println(indent + "-> " + finding.remedy());
      }
    }
    terminal.out().println();
    terminal
        .out()
        .println(
            report.isFit()
                ? "This machine is fit to train on the " + (report.hasGpu() ? "GPU." : "CPU.")
                : "This machine is not fit to train yet.");
    return report.isFit() ? ExitCode.DONE : ExitCode.ENGINE;
  }
}
