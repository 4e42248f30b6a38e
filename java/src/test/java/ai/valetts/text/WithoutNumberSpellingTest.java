package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.TextConfig;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** A small build of the jar leaves ICU4J out: only a number may notice. */
class WithoutNumberSpellingTest {

  /** Loads ValeTTS anew, and nothing of ICU4J. */
  private static final class Loader extends ClassLoader {
    Loader() {
      super(WithoutNumberSpellingTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("com.ibm.icu.")) {
        throw new ClassNotFoundException(name);
      }
      if (!name.startsWith("ai.valetts.")) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static String words(String text, String language) throws Exception {
    Loader loader = new Loader();
    Object config =
        loader
            .loadClass(TextConfig.class.getName())
            .getConstructor(String.class, String.class, String.class, String.class, boolean.class, int.class)
            .newInstance("characters", language, "full", null, false, 100);
    Method wording =
        loader.loadClass(TextFrontEnds.class.getName())
            .getMethod("words", config.getClass(), loader.loadClass(SymbolTable.class.getName()));
    @SuppressWarnings("unchecked")
    BiFunction<String, String, Object> words = (BiFunction<String, String, Object>) wording.invoke(null, config, null);
    Object read = words.apply(text, language);
    try {
      return (String) read.getClass().getMethod("text").invoke(read);
    } catch (InvocationTargetException e) {
      throw (Exception) e.getCause();
    }
  }

  @Test
  void readsTextWithoutNumbers() throws Exception {
    for (String language : new String[] {"pt-br", "en-us", "es", "fr-fr", "it"}) {
      assertThat(words("Bom dia, casa & lar.", language)).as(language).contains("casa", "lar");
    }
    assertThat(words("O Sr. Lima mora em SP.", "pt-br")).isEqualTo("O senhor Lima mora em ésse pê.");
  }

  @Test
  void saysWhatIsMissingForANumber() {
    for (String language : new String[] {"pt-br", "fr-fr"}) {
      assertThatThrownBy(() -> words("casa 2", language))
          .hasMessageContaining("ICU4J")
          .hasMessageContaining("text.normalization");
    }
  }
}
