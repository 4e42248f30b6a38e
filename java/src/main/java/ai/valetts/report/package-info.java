/**
 * What a run's own record says in words: a summary of bounded size, a report by rules, and the files both are kept in.
 * Reads the run's folder only, so that a report can be made beside a run that goes on.
 */
package ai.valetts.report;
