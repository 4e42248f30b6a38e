package ai.valetts.storage.drive;

import ai.valetts.storage.Blob;
import ai.valetts.storage.BlobStore;
import ai.valetts.storage.FileDigest;
import ai.valetts.storage.FolderStore;
import ai.valetts.storage.Space;
import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import ai.valetts.storage.Transfer;
import com.google.api.client.googleapis.media.MediaHttpUploader;
import com.google.api.client.http.FileContent;
import com.google.api.client.http.HttpRequest;
import com.google.api.client.http.HttpRequestInitializer;
import com.google.api.client.http.HttpResponse;
import com.google.api.client.http.HttpResponseException;
import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.HttpUnsuccessfulResponseHandler;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.client.util.ExponentialBackOff;
import com.google.api.client.util.Sleeper;
import com.google.api.services.drive.Drive;
import com.google.api.services.drive.model.About;
import com.google.api.services.drive.model.File;
import com.google.api.services.drive.model.FileList;
import com.google.auth.http.HttpCredentialsAdapter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A folder of Google Drive. Uploads are resumable, a cut one goes on where it stopped; what arrived is compared by the
 * size and the digests that Drive computes. Deleting goes past the trash.
 */
public final class DriveStore implements BlobStore {
  private static final String FOLDER_TYPE = "application/vnd.google-apps.folder";
  private static final String FILE_FIELDS = "id,name,size,md5Checksum,sha256Checksum";
  private static final int CHUNK_BYTES = 8 << 20;
  private static final int ATTEMPTS = 4;
  private static final int UNAUTHORIZED = 401;
  private static final Duration LONGEST_WAIT_INSIDE = Duration.ofSeconds(60);

  private final Drive drive;
  private final List<String> path;
  private final Sleeper sleeper;
  private final int chunkBytes;
  private String folderId;

  /**
   * How a store is reached.
   *
   * @param apiUrl null is Google's
   * @param timeout for a connection and for each silence of an answer
   * @param sleeper waits between attempts
   * @param chunkBytes of an upload, a multiple of 262,144
   */
  record Connection(String apiUrl, Duration timeout, Sleeper sleeper, int chunkBytes) {}

  /**
   * Connects with the first call.
   *
   * @param folder path below the user's Drive, e.g. {@code valetts/ana}; missing folders are made by the first write
   * @param apiUrl null is Google's
   */
  public static DriveStore connect(AuthorizedUser user, String folder, String apiUrl, Duration timeout) {
    return new DriveStore(user, folder, new Connection(apiUrl, timeout, Sleeper.DEFAULT, CHUNK_BYTES));
  }

  DriveStore(AuthorizedUser user, String folder, Connection connection) {
    this.sleeper = connection.sleeper();
    this.chunkBytes = connection.chunkBytes();
    this.path = new ArrayList<>();
    for (String segment : folder.split("/")) {
      if (!segment.isBlank()) {
        path.add(segment);
      }
    }
    if (connection.apiUrl() != null && !AuthorizedUser.isProtected(URI.create(connection.apiUrl()))) {
      throw new StorageException(Kind.REFUSED, "storage.apiUrl is not https.");
    }
    HttpTransport transport = new NetHttpTransport();
    HttpCredentialsAdapter signing = new HttpCredentialsAdapter(user.credentials(() -> transport));
    Drive.Builder builder =
        new Drive.Builder(transport, GsonFactory.getDefaultInstance(), initializer(signing, connection.timeout()))
            .setApplicationName("ValeTTS");
    if (connection.apiUrl() != null) {
      builder.setRootUrl(connection.apiUrl().endsWith("/") ? connection.apiUrl() : connection.apiUrl() + "/");
    }
    this.drive = builder.build();
  }

  /** Signs each request, refreshes the token once on 401, and repeats what may succeed a little later. */
  private HttpRequestInitializer initializer(HttpCredentialsAdapter signing, Duration timeout) {
    return request -> {
      signing.initialize(request);
      HttpUnsuccessfulResponseHandler refresh = request.getUnsuccessfulResponseHandler();
      ExponentialBackOff waits = backOff();
      request.setConnectTimeout((int) timeout.toMillis());
      request.setReadTimeout((int) timeout.toMillis());
      request.setWriteTimeout((int) timeout.toMillis());
      request.setNumberOfRetries(ATTEMPTS);
      request.setIOExceptionHandler((failed, supportsRetry) -> supportsRetry && pause(waits, null));
      request.setUnsuccessfulResponseHandler(new Repetition(refresh, waits));
    };
  }

  /** What happens after an answer that is no success. */
  private final class Repetition implements HttpUnsuccessfulResponseHandler {
    private final HttpUnsuccessfulResponseHandler refresh;
    private final ExponentialBackOff waits;
    private boolean refreshed;

    Repetition(HttpUnsuccessfulResponseHandler refresh, ExponentialBackOff waits) {
      this.refresh = refresh;
      this.waits = waits;
    }

    @Override
    public boolean handleResponse(HttpRequest request, HttpResponse answer, boolean supportsRetry) throws IOException {
      if (answer.getStatusCode() != UNAUTHORIZED) {
        return supportsRetry && isTransient(answer) && pause(waits, DriveFailure.retryAfter(answer.getHeaders()));
      }
      if (refreshed) {
        return false;
      }
      refreshed = true;
      boolean again = refresh.handleResponse(request, answer, supportsRetry);
      // Signing the request anew puts the signer's own handler in this one's place.
      request.setUnsuccessfulResponseHandler(this);
      return again;
    }
  }

  private static boolean isTransient(HttpResponse answer) {
    return answer.getStatusCode() == 429 || answer.getStatusCode() >= 500;
  }

  private static ExponentialBackOff backOff() {
    return new ExponentialBackOff.Builder()
        .setInitialIntervalMillis(1_000)
        .setMaxIntervalMillis((int) LONGEST_WAIT_INSIDE.toMillis())
        .setMaxElapsedTimeMillis(Integer.MAX_VALUE)
        .build();
  }

  /** Waits; false if the store wants to be left alone for longer than a call may take. */
  private boolean pause(ExponentialBackOff waits, Duration asked) throws IOException {
    if (asked != null && asked.compareTo(LONGEST_WAIT_INSIDE) > 0) {
      return false;
    }
    try {
      sleeper.sleep(Math.max(asked == null ? 0 : asked.toMillis(), waits.nextBackOffMillis()));
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public String location() {
    return "gdrive:" + String.join("/", path);
  }

  @Override
  public List<Blob> list() {
    return attempt("list", () -> {
      List<Blob> blobs = new ArrayList<>();
      for (File file : children("mimeType != '" + FOLDER_TYPE + "'")) {
        blobs.add(new Blob(file.getName(), file.getSize() == null ? 0 : file.getSize()));
      }
      return blobs;
    });
  }

  @Override
  public List<String> folders() {
    return attempt(
        "list", () -> children("mimeType = '" + FOLDER_TYPE + "'").stream().map(File::getName).distinct().toList());
  }

  private List<File> children(String condition) throws IOException {
    String parent = folder(false);
    return parent == null ? List.of() : query("'" + parent + "' in parents and " + condition);
  }

  private List<File> query(String condition) throws IOException {
    List<File> found = new ArrayList<>();
    String page = null;
    do {
      FileList answer =
          drive.files()
              .list()
              .setQ(condition + " and trashed = false")
              .setOrderBy("createdTime")
              .setPageSize(1_000)
              .setPageToken(page)
              .setFields("nextPageToken,files(" + FILE_FIELDS + ")")
              .execute();
      found.addAll(answer.getFiles() == null ? List.of() : answer.getFiles());
      page = answer.getNextPageToken();
    } while (page != null);
    return found;
  }

  /** The folder's id; null if it is not there and is not to be made. */
  private String folder(boolean make) throws IOException {
    if (folderId != null) {
      return folderId;
    }
    String id = "root";
    for (String segment : path) {
      List<File> found =
          query("'" + id + "' in parents and mimeType = '" + FOLDER_TYPE + "' and name = '" + quoted(segment) + "'");
      if (!found.isEmpty()) {
        id = found.get(0).getId();
      } else if (make) {
        File folder = new File().setName(segment).setMimeType(FOLDER_TYPE).setParents(List.of(id));
        id = drive.files().create(folder).setFields("id").execute().getId();
      } else {
        return null;
      }
    }
    folderId = id;
    return id;
  }

  private static String quoted(String name) {
    return name.replace("\\", "\\\\").replace("'", "\\'");
  }

  /** Drive allows several files of one name. */
  private List<File> named(String name) throws IOException {
    return children("name = '" + quoted(name) + "'");
  }

  private File one(String name) throws IOException {
    List<File> found = named(name);
    if (found.isEmpty()) {
      throw new StorageException(Kind.MISSING, name + " is not in " + location() + ".");
    }
    return found.get(0);
  }

  @Override
  public void put(String name, Path source, FileDigest expected, Transfer transfer) {
    if (!Files.isReadable(source)) {
      throw new StorageException(Kind.LOCAL, source + " cannot be read.");
    }
    File arrived;
    try {
      arrived = attempt("write " + name, () -> {
        File file = new File().setName(name).setParents(List.of(folder(true)));
        Drive.Files.Create create =
            drive.files().create(file, new FileContent("application/octet-stream", source.toFile()));
        create.setFields(FILE_FIELDS);
        MediaHttpUploader uploader = create.getMediaHttpUploader();
        uploader.setDirectUploadEnabled(false);
        uploader.setChunkSize(chunkBytes);
        long[] told = {0};
        uploader.setProgressListener(progress -> {
          long sent = progress.getNumBytesUploaded();
          if (sent > told[0]) {
            transfer.moved(sent - told[0]);
            told[0] = sent;
          }
        });
        return create.execute();
      });
    } catch (StorageException e) {
      if (e.kind() != Kind.MISSING) {
        throw e;
      }
      // The folder was removed, or the upload expired: both begin anew.
      folderId = null;
      throw new StorageException(Kind.UNAVAILABLE, e.getMessage());
    }
    compare(arrived, expected);
  }

  @Override
  public void verify(String name, FileDigest expected) {
    List<File> found = attempt("read back " + name, () -> named(name));
    if (found.isEmpty()) {
      throw new StorageException(Kind.MISSING, name + " is not in " + location() + ".");
    }
    if (found.stream().noneMatch(file -> differences(file, expected).isEmpty())) {
      compare(found.get(0), expected);
    }
  }

  private void compare(File file, FileDigest expected) {
    String difference = differences(file, expected);
    if (!difference.isEmpty()) {
      throw new StorageException(Kind.DAMAGED, file.getName() + " in " + location() + " " + difference);
    }
  }

  private static String differences(File file, FileDigest expected) {
    if (file.getSize() == null || file.getSize() != expected.bytes()) {
      return "has " + file.getSize() + " bytes instead of " + expected.bytes() + ".";
    }
    if (file.getSha256Checksum() == null && file.getMd5Checksum() == null) {
      return "has no digest yet.";
    }
    boolean same =
        (file.getSha256Checksum() == null || file.getSha256Checksum().equalsIgnoreCase(expected.sha256()))
            && (file.getMd5Checksum() == null || file.getMd5Checksum().equalsIgnoreCase(expected.md5()));
    return same ? "" : "is not what was written (its digest differs).";
  }

  @Override
  public byte[] read(String name, int maxBytes) {
    return attempt("read " + name, () -> {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      try (InputStream in = drive.files().get(one(name).getId()).executeMediaAsInputStream()) {
        content.write(in.readNBytes(maxBytes + 1));
      }
      if (content.size() > maxBytes) {
        throw new StorageException(Kind.DAMAGED, name + " in " + location() + " is too long.");
      }
      return content.toByteArray();
    });
  }

  @Override
  public FileDigest get(String name, Path target, Transfer transfer) {
    return attempt("read " + name, () -> {
      try (InputStream in = drive.files().get(one(name).getId()).executeMediaAsInputStream()) {
        return FolderStore.fetch(in, target, transfer);
      }
    });
  }

  @Override
  public void delete(String name) {
    try {
      attempt("delete " + name, () -> {
        for (File file : named(name)) {
          drive.files().delete(file.getId()).execute();
        }
        return null;
      });
    } catch (StorageException e) {
      if (e.kind() != Kind.MISSING) {
        throw e;
      }
    }
  }

  @Override
  public Space space() {
    return attempt("measure", () -> {
      About.StorageQuota quota = drive.about().get().setFields("storageQuota").execute().getStorageQuota();
      return quota == null
          ? Space.UNKNOWN
          : new Space(quota.getLimit(), quota.getUsage(), quota.getUsageInDriveTrash());
    });
  }

  @Override
  public void close() {
    // Connections are kept by the JDK and end by themselves.
  }

  /** Repeats what Drive's client does not: refusals whose reason says that it is only too much at once. */
  private <T> T attempt(String verb, Call<T> call) {
    ExponentialBackOff waits = backOff();
    for (int attempt = 1; ; attempt++) {
      try {
        return call.run();
      } catch (IOException e) {
        if (attempt >= ATTEMPTS || !DriveFailure.isTransient(e) || !waited(waits, e)) {
          throw DriveFailure.of(location(), verb, e);
        }
      }
    }
  }

  private boolean waited(ExponentialBackOff waits, IOException failure) {
    Duration asked =
        failure instanceof HttpResponseException answer
            ? DriveFailure.retryAfter(answer.getHeaders())
            : null;
    try {
      return pause(waits, asked);
    } catch (IOException e) {
      return false;
    }
  }

  private interface Call<T> {
    T run() throws IOException;
  }
}
