package ai.valetts.cli;

import ai.valetts.app.DriveRequest;
import ai.valetts.app.DriveRequest.Action;
import ai.valetts.app.DriveResult;
import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code drive}: looks after the copies of a run, on a mounted Drive, behind Drive's web interface, or in any folder. */
final class DriveCommand implements Command {
  private static final int LEAST_KEPT = 2;

  @Override
  public String name() {
    return "drive";
  }

  @Override
  public String summary() {
    return "Look after the copies of a run on Drive or in another folder.";
  }

  @Override
  public String arguments() {
    return "status|push|pull|clean|login [RUN_DIR]";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        RunOptions.value("location", "LOCATION", "where the copies are, instead of the storage.location of RUN_DIR"));
    options.addOption(RunOptions.flag("verify", "status: read every copy back, not only sizes and manifests"));
    options.addOption(RunOptions.value("keep", "N", "clean: copies to keep, at least 2"));
    options.addOption(RunOptions.flag("dry-run", "clean: only tell what would go"));
    options.addOption(RunOptions.value("client", "FILE", "login: the OAuth client's JSON, of the kind for TVs and limited input"));
    options.addOption(
        RunOptions.value("credentials", "FILE", "the authorised user's JSON, instead of the environment's or the usual one"));
    return options;
  }

  @Override
  public String notes() {
    return """
        status tells which copies there are, whether they are whole, and how much room is left. push copies the newest
        checkpoint now. pull fetches the newest copy that verifies and never touches a local run that is newer. clean
        removes what newer verified copies make superfluous; two always stay. login authorises this machine to write to
        your Google Drive, for locations of the form gdrive:FOLDER; it needs no browser here.

        LOCATION is a folder (mounted Drive, network, local) or gdrive:FOLDER, with or without the run's own folder.
        Secrets come from a file or from VALETTS_DRIVE_TOKEN, never from the command line. Exit code 7: the place cannot
        be reached, is full, refuses, or holds nothing sound.

        Examples:
          valetts drive status runs/lj --verify
          valetts drive push runs/lj --location /content/drive/MyDrive/valetts
          valetts drive pull --location gdrive:valetts/lj
          valetts drive clean --location /mnt/nas/valetts/lj --keep 3 --dry-run
          valetts drive login --client client_secret.json
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    List<String> words = line.getArgList();
    Action action = action(words);
    Path folder = words.size() > 1 ? Path.of(words.get(1)) : null;
    String location = line.getOptionValue("location");
    if (action == Action.PUSH && folder == null) {
      throw new UsageException("push takes the folder of a run, e.g. runs/demo");
    }
    if (action != Action.LOGIN && folder == null && location == null) {
      throw new UsageException("takes RUN_DIR or --location LOCATION");
    }
    if (action == Action.LOGIN && !line.hasOption("client")) {
      throw new UsageException("login takes --client FILE, the OAuth client's JSON (see docs/drive.md)");
    }
    refuse(line, action, Action.STATUS, "verify");
    refuse(line, action, Action.CLEAN, "keep");
    refuse(line, action, Action.CLEAN, "dry-run");
    refuse(line, action, Action.LOGIN, "client");
    DriveRequest request =
        new DriveRequest(
            action, folder, location, line.hasOption("verify"), keep(line), line.hasOption("dry-run"),
            path(line, "client"), path(line, "credentials"));
    try (Operations operations = terminal.operations().get()) {
      DriveResult result = operations.drive(request);
      result.lines().forEach(terminal.out()::println);
      return result.good() ? ExitCode.DONE : ExitCode.STORAGE;
    }
  }

  private static Action action(List<String> words) {
    String names = "status, push, pull, clean or login";
    if (words.isEmpty()) {
      throw new UsageException("takes " + names);
    }
    return Arrays.stream(Action.values())
        .filter(action -> action.name().toLowerCase(Locale.ROOT).equals(words.get(0)))
        .findFirst()
        .orElseThrow(() -> new UsageException("takes " + names + "; found \"" + words.get(0) + "\""));
  }

  private static void refuse(CommandLine line, Action action, Action only, String option) {
    if (line.hasOption(option) && action != only) {
      throw new UsageException("--" + option + " goes with drive " + only.name().toLowerCase(Locale.ROOT));
    }
  }

  private static Integer keep(CommandLine line) {
    if (!line.hasOption("keep")) {
      return null;
    }
    String text = line.getOptionValue("keep");
    if (!text.matches("\\d{1,4}") || Integer.parseInt(text) < LEAST_KEPT) {
      throw new UsageException("--keep takes a whole number from 2 to 9999, found \"" + text + "\"");
    }
    return Integer.valueOf(text);
  }

  private static Path path(CommandLine line, String option) {
    return line.hasOption(option) ? Path.of(line.getOptionValue(option)) : null;
  }
}
