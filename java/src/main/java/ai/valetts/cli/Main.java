package ai.valetts.cli;

import ai.valetts.app.ValeTts;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Where the jar starts. */
public final class Main {
  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    // Phonemes and names are not ASCII, and a machine without a locale would print question marks.
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    System.setOut(out);
    System.setErr(err);
    Terminal terminal = new Terminal(System.in, out, err, () -> ValeTts.onConsole(out));
    int status = new CommandLineInterface(terminal).status(Utf8Arguments.recover(arguments));
    out.flush();
    err.flush();
    System.exit(status);
  }
}
