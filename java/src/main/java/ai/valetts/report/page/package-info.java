/** A run on one page for a browser: curves, sounds, pictures, reports and events in a file that needs nothing else. */
package ai.valetts.report.page;
