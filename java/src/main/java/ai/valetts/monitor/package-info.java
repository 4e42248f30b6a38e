/**
 * What shows a run to people: console, TensorBoard, a journal of measurements and sample files. Listens to events only.
 */
package ai.valetts.monitor;
