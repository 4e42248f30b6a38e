package ai.valetts.storage.drive;

import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import com.google.api.client.googleapis.json.GoogleJsonError;
import com.google.api.client.googleapis.json.GoogleJsonResponseException;
import com.google.api.client.http.HttpHeaders;
import com.google.api.client.http.HttpResponseException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Turns what Drive answers into what a person can act on. */
final class DriveFailure {
  private static final Set<String> RATES =
      Set.of("rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded", "dailyLimitExceeded");
  private static final Set<String> NO_ROOM =
      Set.of("storageQuotaExceeded", "quotaExceeded", "teamDriveFileLimitExceeded", "numChildrenInNonRootLimitExceeded");
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int TOO_MANY = 429;

  private DriveFailure() {}

  /** No cause is kept: the client's messages hold addresses that are valid for whoever reads them. */
  static StorageException of(String location, String verb, IOException failure) {
    String doing = "Cannot " + verb + " in " + location + ": ";
    if (failure instanceof HttpResponseException answer) {
      return of(doing, answer);
    }
    String text = String.valueOf(failure.getMessage());
    if (text.contains("invalid_grant")) {
      return new StorageException(Kind.REFUSED, doing + "Google no longer accepts the authorisation (expired or withdrawn;"
          + " that of an OAuth client in test mode lasts 7 days). Run valetts drive login.");
    }
    if (text.contains("invalid_client") || text.contains("unauthorized_client")) {
      return new StorageException(Kind.REFUSED, doing + "Google does not know the OAuth client: run valetts drive login with"
          + " the client's own file.");
    }
    return new StorageException(Kind.UNAVAILABLE, doing + "Drive cannot be reached ("
        + failure.getClass().getSimpleName() + ").");
  }

  private static StorageException of(String doing, HttpResponseException answer) {
    int status = answer.getStatusCode();
    String reason = reason(answer);
    Duration retryAfter = retryAfter(answer.getHeaders());
    if (status == UNAUTHORIZED) {
      return new StorageException(
          Kind.REFUSED, doing + "Google does not accept the authorisation, not even a fresh one. Run valetts drive login.");
    }
    if (status == FORBIDDEN && NO_ROOM.contains(reason)) {
      return new StorageException(
          Kind.FULL, doing + "the Drive is full. Free some space and empty its trash (trash counts).");
    }
    if (status == TOO_MANY || status == FORBIDDEN && RATES.contains(reason)) {
      return new StorageException(Kind.UNAVAILABLE, doing + "Drive wants fewer requests (" + status + ").", retryAfter, null);
    }
    if (status == FORBIDDEN) {
      return new StorageException(Kind.REFUSED, doing + "Drive forbids it (" + (reason.isEmpty() ? "403" : reason) + ")."
          + (reason.equals("accessNotConfigured")
              ? " Enable the Drive API in the OAuth client's project."
              : " The authorisation covers only files that this OAuth client made: see docs/drive.md."));
    }
    if (status == NOT_FOUND) {
      return new StorageException(Kind.MISSING, doing + "it is not there.");
    }
    return new StorageException(Kind.UNAVAILABLE, doing + "Drive answered " + status
        + (reason.isEmpty() ? "" : " (" + reason + ")") + ".", retryAfter, null);
  }

  /** Whether the same may succeed a little later; answers that the client repeats by their status have had their chance. */
  static boolean isTransient(IOException failure) {
    if (failure instanceof HttpResponseException answer) {
      String reason = reason(answer);
      return answer.getStatusCode() == FORBIDDEN && RATES.contains(reason) && !reason.equals("dailyLimitExceeded");
    }
    String text = String.valueOf(failure.getMessage());
    return !text.contains("invalid_grant") && !text.contains("_client");
  }

  /** What the answer asks for; null if nothing. */
  static Duration retryAfter(HttpHeaders headers) {
    String text = headers == null ? null : headers.getRetryAfter();
    // The other form, a date, is not what Google sends; without a number the own wait holds.
    return text != null && text.matches("\\d{1,6}") ? Duration.ofSeconds(Long.parseLong(text)) : null;
  }

  private static String reason(HttpResponseException answer) {
    if (answer instanceof GoogleJsonResponseException json && json.getDetails() != null) {
      List<GoogleJsonError.ErrorInfo> errors = json.getDetails().getErrors();
      if (errors != null && !errors.isEmpty() && errors.get(0).getReason() != null) {
        return errors.get(0).getReason();
      }
    }
    return "";
  }
}
