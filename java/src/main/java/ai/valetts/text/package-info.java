/**
 * From text to symbol ids: cleaning, espeak-ng phonemes or plain characters, and the table that numbers them. Nothing
 * here knows about recordings.
 */
package ai.valetts.text;
