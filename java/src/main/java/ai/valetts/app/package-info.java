/**
 * The only place where objects are wired together, and the door for programs that embed ValeTTS: requests in, results
 * out, no console. The command line adds nothing but parsing and printing.
 */
package ai.valetts.app;
