package ai.valetts.data.corpus;

import ai.valetts.audio.AudioReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the recording that a row names, with or without its extension, below the usual folders. Each folder is listed
 * once: asking a slow disk for every spelling of 23,000 names would take minutes. Not thread-safe.
 */
final class RecordingFinder {
  private static final List<String> USUAL = List.of("wavs", "", "wav", "clips", "audio");

  private final List<Path> places = new ArrayList<>();
  private final Map<Path, Map<String, String>> listings = new HashMap<>();

  /**
   * @param folder the corpus
   * @param metadataFolder where the metadata lies, which paths may start from
   */
  RecordingFinder(Path folder, Path metadataFolder) {
    for (Path start : List.of(folder, metadataFolder)) {
      for (String usual : USUAL) {
        Path place = start.resolve(usual);
        if (!places.contains(place)) {
          places.add(place);
        }
      }
    }
  }

  /** The recording, absolute. */
  Optional<Path> find(String name) {
    if (name.isBlank() || name.strip().equals(".")) {
      return Optional.empty();
    }
    try {
      Path wanted = Path.of(name.strip().replace('\\', '/')).normalize();
      if (wanted.isAbsolute()) {
        Optional<Path> exact = at(wanted);
        if (exact.isPresent()) {
          return exact;
        }
      }
      // A list made on another machine names folders that are not here: leading ones are dropped one by one.
      for (int dropped = 0; dropped < wanted.getNameCount(); dropped++) {
        if (dropped > 0 && isFolder(wanted.getName(dropped - 1))) {
          break;
        }
        Path rest = wanted.subpath(dropped, wanted.getNameCount());
        for (Path place : places) {
          Optional<Path> found = at(place.resolve(rest));
          if (found.isPresent()) {
            return found;
          }
        }
      }
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  /** A folder that is here means something; what is not in it must not be found elsewhere. */
  private boolean isFolder(Path name) {
    return places.stream().anyMatch(place -> Files.isDirectory(place.resolve(name)));
  }

  private Optional<Path> at(Path file) {
    Path target = file.toAbsolutePath().normalize();
    Path parent = target.getParent();
    if (parent == null || target.getFileName() == null) {
      return Optional.empty();
    }
    Map<String, String> listing = listings.computeIfAbsent(parent, RecordingFinder::list);
    String name = target.getFileName().toString();
    Optional<Path> exact = recording(parent, listing.get(name));
    if (exact.isPresent()) {
      return exact;
    }
    for (String extension : AudioReader.EXTENSIONS) {
      Optional<Path> found = recording(parent, listing.get(key(name + "." + extension)));
      if (found.isPresent()) {
        return found;
      }
    }
    return recording(parent, listing.get(key(name)));
  }

  private static Optional<Path> recording(Path parent, String name) {
    // A slow disk is asked only about names that do not say what they are.
    return Optional.ofNullable(name)
        .map(parent::resolve)
        .filter(file -> isNamedAsAudio(name) || Files.isRegularFile(file));
  }

  private static boolean isNamedAsAudio(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return AudioReader.EXTENSIONS.stream().anyMatch(extension -> lower.endsWith("." + extension));
  }

  /** File names by themselves and by {@link #key}. */
  private static Map<String, String> list(Path folder) {
    Map<String, String> names = new HashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(file -> file.getFileName().toString())
          .sorted()
          .forEach(
              name -> {
                names.put(name, name);
                names.putIfAbsent(key(name), name);
              });
    } catch (IOException e) {
      return names;
    }
    return names;
  }

  /** Systems differ in capitals, and in whether an accent is a character of its own. */
  private static String key(String name) {
    return "\0" + Normalizer.normalize(name, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
  }
}
