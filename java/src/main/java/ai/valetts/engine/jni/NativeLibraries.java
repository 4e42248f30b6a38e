package ai.valetts.engine.jni;

import ai.valetts.engine.EngineInternalException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Finds the core's three shared libraries and loads them, once in a process: from the folder that the system property
 * {@value #PATH_PROPERTY} or the environment variable {@value #PATH_VARIABLE} names, else from inside the jar, unpacked
 * to a cache folder named after their content so that two builds never mix.
 */
final class NativeLibraries {
  static final String PATH_PROPERTY = "valetts.library.path";
  static final String PATH_VARIABLE = "VALETTS_LIBRARY_PATH";

  /** In the order of loading: process defaults that libtorch reads when it starts come first. */
  private static final List<String> FILES = List.of("libvalettsenv.so", "libvaletts.so", "libjnivaletts.so");

  private static final String RESOURCES = "linux-x86_64/";

  private static Path loadedFrom;

  private NativeLibraries() {}

  /**
   * Tells JavaCPP, which the audio decoder uses too, how to behave; only what is said before its first class is loaded
   * counts. What the command line already says stays.
   *
   * <p>JavaCPP's collector of forgotten pointers limits the memory of the whole process, libtorch's included, to a
   * multiple of the Java heap: it is switched off, everything here is closed by its user.
   */
  static void configureJavaCpp(Path cacheFolder) {
    setIfAbsent("org.bytedeco.javacpp.nopointergc", "true");
    setIfAbsent("org.bytedeco.javacpp.cachedir", cacheFolder.resolve("native").resolve("javacpp-1.5.14").toString());
  }

  private static void setIfAbsent(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * Loads the libraries unless they are.
   *
   * @return the folder they came from
   * @throws EngineInternalException saying what is missing and how to mend it
   */
  static synchronized Path load(Path cacheFolder) {
    if (loadedFrom == null) {
      configureJavaCpp(cacheFolder);
      Path folder = namedFolder();
      if (folder == null) {
        folder = unpack(cacheFolder.resolve("native"));
      }
      for (String file : FILES) {
        loadFile(folder.resolve(file));
      }
      loadedFrom = folder;
    }
    return loadedFrom;
  }

  private static Path namedFolder() {
    String property = System.getProperty(PATH_PROPERTY);
    String named = property != null ? property : System.getenv(PATH_VARIABLE);
    if (named == null || named.isBlank()) {
      return null;
    }
    String source = property != null ? "-D" + PATH_PROPERTY : PATH_VARIABLE;
    return requireLibraries(Path.of(named).toAbsolutePath().normalize(), source);
  }

  /** The folder, if all libraries are in it; {@code source} says who named it. */
  static Path requireLibraries(Path folder, String source) {
    for (String file : FILES) {
      if (!Files.isRegularFile(folder.resolve(file))) {
        throw new EngineInternalException(
            source + " names " + folder + ", but there is no " + file + " in it. Name the folder that holds "
                + String.join(", ", FILES) + ", or leave it unset to use the core inside the jar.");
      }
    }
    return folder;
  }

  private static Path unpack(Path nativeFolder) {
    List<byte[]> contents = new ArrayList<>();
    MessageDigest digest = sha256();
    for (String file : FILES) {
      try (InputStream in = NativeLibraries.class.getResourceAsStream(RESOURCES + file)) {
        if (in == null) {
          throw new EngineInternalException(
              "This build of ValeTTS has no native core inside (" + file + " is missing). Run scripts/build.sh, or set "
                  + PATH_VARIABLE + " to a folder that holds " + String.join(", ", FILES)
                  + ". 'valetts doctor' checks the whole set-up.");
        }
        byte[] content = in.readAllBytes();
        digest.update(content);
        contents.add(content);
      } catch (IOException e) {
        throw new EngineInternalException("Cannot read " + file + " from the jar: " + e.getMessage());
      }
    }
    Path folder = nativeFolder.resolve(HexFormat.of().formatHex(digest.digest(), 0, 8));
    for (int i = 0; i < FILES.size(); i++) {
      Path target = folder.resolve(FILES.get(i));
      try {
        if (!Files.isRegularFile(target) || Files.size(target) != contents.get(i).length) {
          Files.createDirectories(folder);
          // Another process may do the same: each writes its own file, the last rename wins, all are equal.
          Path partial = Files.createTempFile(folder, FILES.get(i), ".partial");
          Files.write(partial, contents.get(i));
          Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
      } catch (IOException e) {
        throw new EngineInternalException(
            "Cannot unpack the native core to " + target + ": " + e
                + ". The folder has to be writable and have space; VALETTS_CACHE names another.");
      }
    }
    return folder;
  }

  private static void loadFile(Path file) {
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new EngineInternalException(explain(file, String.valueOf(e.getMessage())));
    }
  }

  /** What the dynamic linker says, in words that help. */
  static String explain(Path file, String linkerMessage) {
    String cause = linkerMessage.replace(file + ": ", "");
    if (cause.contains("cannot open shared object file")) {
      return "The native core " + file + " needs a library that is not on this machine any more: " + cause
          + ". libtorch is used where it was found when the core was built: run scripts/setup.sh and scripts/build.sh"
          + " again. 'valetts doctor' checks the whole set-up.";
    }
    if (cause.contains("undefined symbol") || cause.contains("version `")) {
      return "The native core " + file + " does not fit this machine's libraries: " + cause
          + ". It was built against another libtorch or C++ library: run scripts/build.sh again.";
    }
    return "The native core " + file + " cannot be loaded: " + cause + ". 'valetts doctor' checks the whole set-up.";
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
