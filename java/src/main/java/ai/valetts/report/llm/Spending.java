package ai.valetts.report.llm;

import ai.valetts.report.ReportUnavailableException;
import ai.valetts.report.ReportUnavailableException.Reason;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a run has spent on models and may still spend, in {@code spending.json} of its reports. A call is entered at its
 * highest price before it is made and corrected when its price is known, so that a killed process has counted too much
 * rather than too little. Several processes may use one file: each change is made under a lock. A file that cannot be
 * read allows nothing.
 */
final class Spending {
  private static final long HOUR_MILLIS = 3_600_000;
  private static final Object IN_THIS_PROCESS = new Object();
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final Budget budget;
  private final Clock clock;

  /** Limits of a run. */
  record Budget(double maxUsd, int maxCallsPerHour, long maxTokens) {}

  /**
   * The file's content.
   *
   * @param usd spent, calls under way at their highest price
   * @param tokens of prompts and answers
   * @param calls made
   * @param latestCallsMillis when the calls of the latest hour were made, in milliseconds since 1970
   */
  record Account(double usd, long tokens, long calls, List<Long> latestCallsMillis) {}

  /** A call that was entered. */
  final class Entry {
    private final double usd;
    private final long tokens;

    private Entry(double usd, long tokens) {
      this.usd = usd;
      this.tokens = tokens;
    }

    /** The call cost this. */
    void settle(double actualUsd, long actualTokens) throws ReportUnavailableException {
      change(account -> new Account(
          Math.max(0, account.usd() - usd + actualUsd),
          Math.max(0, account.tokens() - tokens + actualTokens),
          account.calls(),
          account.latestCallsMillis()));
    }
  }

  private interface Change {
    Account of(Account account) throws ReportUnavailableException;
  }

  Spending(Path file, Budget budget, Clock clock) {
    this.file = file;
    this.budget = budget;
    this.clock = clock;
  }

  /**
   * Enters a call before it is made.
   *
   * @param usd most that it can cost
   * @param tokens most that it can use
   * @throws ReportUnavailableException if it goes beyond a limit
   */
  Entry enter(double usd, long tokens) throws ReportUnavailableException {
    change(account -> {
      if (account.usd() + usd > budget.maxUsd()) {
        throw refused("spent %.4f of %.4f USD, the call may cost %.4f", account.usd(), budget.maxUsd(), usd);
      }
      if (account.tokens() + tokens > budget.maxTokens()) {
        throw refused("used %,d of %,d tokens, the call may use %,d", account.tokens(), budget.maxTokens(), tokens);
      }
      long now = clock.millis();
      List<Long> latest = new ArrayList<>(account.latestCallsMillis());
      // A clock that was set back must not free the budget: calls in its future count as of now.
      latest.removeIf(at -> now - at >= HOUR_MILLIS);
      if (latest.size() >= budget.maxCallsPerHour()) {
        throw refused("%d calls within the hour", latest.size());
      }
      latest.add(now);
      return new Account(account.usd() + usd, account.tokens() + tokens, account.calls() + 1, latest);
    });
    return new Entry(usd, tokens);
  }

  private static ReportUnavailableException refused(String format, Object... values) {
    return new ReportUnavailableException(Reason.NO_BUDGET, String.format(Locale.ROOT, format, values));
  }

  private void change(Change change) throws ReportUnavailableException {
    synchronized (IN_THIS_PROCESS) {
      try {
        Files.createDirectories(file.getParent());
        Path lock = file.resolveSibling(file.getFileName() + ".lock");
        try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          channel.lock();
          write(change.of(read()));
        }
      } catch (IOException e) {
        throw new ReportUnavailableException(Reason.NO_BUDGET, file.getFileName() + " cannot be kept: " + e.getMessage());
      }
    }
  }

  Account read() throws ReportUnavailableException {
    if (!Files.exists(file)) {
      return new Account(0, 0, 0, List.of());
    }
    try {
      Account account = JSON.readValue(Files.readString(file), Account.class);
      boolean sound = account.usd() >= 0 && account.tokens() >= 0 && account.latestCallsMillis() != null;
      if (sound) {
        return account;
      }
    } catch (IOException e) {
      // Said below.
    }
    throw new ReportUnavailableException(
        Reason.NO_BUDGET, file + " is damaged, so that nobody knows what was spent; delete it to begin again at 0");
  }

  private void write(Account account) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(part, JSON.writeValueAsString(account) + "\n");
    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
  }
}
