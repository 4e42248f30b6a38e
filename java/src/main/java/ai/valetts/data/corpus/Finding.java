package ai.valetts.data.corpus;

import java.util.Locale;

/**
 * Something about one row.
 *
 * @param kind what it is
 * @param detail the same for a person, naming values
 */
public record Finding(Kind kind, String detail) {

  /** What follows from a finding. */
  public enum Weight {
    /** The row cannot be used and counts towards {@code data.maxBad}. */
    BAD,
    /** The row is sound, but outside a wish of the configuration. */
    LEFT_OUT,
    /** The row is used. */
    REMARK
  }

  /** Everything that preparation can say of a row; {@code docs/data.md} explains each. */
  public enum Kind {
    BROKEN_ROW(Weight.BAD, "broken rows"),
    WRONG_ENCODING(Weight.BAD, "text that is not UTF-8"),
    UNKNOWN_SPEAKER(Weight.BAD, "no speaker"),
    EMPTY_TEXT(Weight.BAD, "empty text"),
    UNKNOWN_SYMBOL(Weight.BAD, "unknown symbols"),
    UNKNOWN_LANGUAGE(Weight.BAD, "unknown language"),
    DUPLICATE_ID(Weight.BAD, "listed twice"),
    DUPLICATE_AUDIO(Weight.BAD, "same recording, other text"),
    MISSING_AUDIO(Weight.BAD, "missing recording"),
    EMPTY_AUDIO(Weight.BAD, "empty recording"),
    TRUNCATED_AUDIO(Weight.BAD, "recording cut short"),
    DAMAGED_AUDIO(Weight.BAD, "damaged recording"),
    SILENT_AUDIO(Weight.BAD, "silence"),
    QUIET_AUDIO(Weight.BAD, "too quiet"),
    CLIPPED_AUDIO(Weight.BAD, "clipped too much"),
    TEXT_LONGER_THAN_AUDIO(Weight.BAD, "text longer than recording"),
    TOO_FEW_SOUNDS(Weight.BAD, "too little text for its length"),
    TOO_MANY_SOUNDS(Weight.BAD, "too much text for its length"),
    TOO_SHORT(Weight.LEFT_OUT, "too short"),
    TOO_LONG(Weight.LEFT_OUT, "too long"),
    LONG_TEXT(Weight.LEFT_OUT, "text too long"),
    RESAMPLED(Weight.REMARK, "other sample rate"),
    MIXED_DOWN(Weight.REMARK, "several channels"),
    WRONG_EXTENSION(Weight.REMARK, "wrong extension"),
    DC_OFFSET(Weight.REMARK, "DC offset removed"),
    CLIPPING(Weight.REMARK, "some clipping"),
    OTHER_DURATION(Weight.REMARK, "duration differs from the table"),
    REPEATED_AUDIO(Weight.REMARK, "same recording, same text"),
    REPEATED_TEXT(Weight.REMARK, "same speaker, same text"),
    BYTE_ORDER_MARK(Weight.REMARK, "byte order mark"),
    WINDOWS_LINE_ENDS(Weight.REMARK, "Windows line ends"),
    TAB_IN_TEXT(Weight.REMARK, "tab in the text"),
    QUOTATION_MARKS(Weight.REMARK, "quotation marks"),
    SIGNS_LEFT_OUT(Weight.REMARK, "signs without a reading"),
    NO_TRANSCRIPT(Weight.REMARK, "recording without text");

    private final Weight weight;
    private final String title;
    private final String slug;

    Kind(Weight weight, String title) {
      this.weight = weight;
      this.title = title;
      this.slug = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public Weight weight() {
      return weight;
    }

    /** A heading of two or three words. */
    public String title() {
      return title;
    }

    /** Name in reports and documents, e.g. {@code missing-audio}. */
    public String slug() {
      return slug;
    }
  }
}
