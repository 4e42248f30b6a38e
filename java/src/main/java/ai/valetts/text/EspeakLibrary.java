package ai.valetts.text;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/** The functions of libespeak-ng that are used, under the names its {@code speak_lib.h} gives them. */
interface EspeakLibrary extends Library {
  /** {@code AUDIO_OUTPUT_SYNCHRONOUS}: no sound device is opened. */
  int OUTPUT_SYNCHRONOUS = 2;

  /** {@code espeakINITIALIZE_DONT_EXIT}: report missing data instead of ending the process. */
  int DONT_EXIT = 0x8000;

  /** {@code espeakCHARS_UTF8}. */
  int UTF8 = 1;

  /** {@code espeakPHONEMES_IPA}, without ties. */
  int IPA = 0x02;

  int espeak_Initialize(int output, int bufferMilliseconds, String dataFolder, int options);

  int espeak_SetVoiceByName(String name);

  Pointer espeak_TextToPhonemes(PointerByReference text, int textMode, int phonemeMode);

  Pointer espeak_ListVoices(Pointer filter);

  String espeak_Info(PointerByReference dataFolder);
}
