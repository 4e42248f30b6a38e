/**
 * Writes out what is not a word, before anything is turned into sounds: numbers, dates, hours, amounts, measures,
 * abbreviations, acronyms, addresses and symbols. Spelling out numbers is ICU4J's; everything else is rules and the
 * vocabulary files beside this package. Nothing here throws for any text, and ICU4J's classes are not touched before
 * the first number.
 */
package ai.valetts.text.normalization;
