package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WandbUploadTest {
  @TempDir private Path root;

  @Test
  void namesAllThatAnUploadLacks() throws Exception {
    String path = client("exit 0").toString();
    assertThat(WandbUpload.missing(Map.of("PATH", path, "WANDB_API_KEY", "k"))).isEmpty();
    assertThat(WandbUpload.missing(Map.of("PATH", path))).isEqualTo("WANDB_API_KEY is not set in the environment");
    assertThat(WandbUpload.missing(Map.of("PATH", "/nowhere", "WANDB_API_KEY", " ")))
        .contains("no program wandb on the PATH", "WANDB_API_KEY is not set");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0123456789abcdef", "k", "*[a-z]?", "a\\\\b"})
  void theKeyIsStruckOutOfWhatTheClientSays(String key) throws Exception {
    Path programs = client(
        "if [ \"$1\" = beta ]; then exit 1; fi\nprintf '#%s#%s#\\n#1#\\n' \"$WANDB_API_KEY\" \"$WANDB_API_KEY\"\n"
            + "printf '#%s#' \"$WANDB_API_KEY\" >&2");
    Path folder = Files.createDirectories(root.resolve("run/wandb/offline-run-1"));
    Files.createFile(folder.resolve("ended"));
    WandbUpload upload = WandbUpload.begin(
        folder, Map.of("PATH", programs + ":" + System.getenv("PATH"), "WANDB_API_KEY", key));
    assertThat(upload).isNotNull();
    List<String> lines = new ArrayList<>();
    for (int i = 0; lines.size() < 3 && i < 500; i++) {
      Thread.sleep(20);
      lines = Files.readAllLines(folder.resolve("upload.log"));
    }
    assertThat(lines).containsExactly("#(key)#(key)#", "#1#", "#(key)#");
  }

  /** A folder with a client that does as the script says. */
  private Path client(String script) throws Exception {
    Path programs = Files.createDirectories(root.resolve("bin"));
    Path client = Files.writeString(programs.resolve("wandb"), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(client, PosixFilePermissions.fromString("rwxr-xr-x"));
    return programs;
  }
}
