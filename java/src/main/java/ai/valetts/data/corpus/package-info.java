/**
 * From a corpus as it is published to rows: unpacking archives, recognising formats, reading metadata line by line, and
 * finding the recording that each row names. Reads files and listings only; decodes nothing.
 */
package ai.valetts.data.corpus;
