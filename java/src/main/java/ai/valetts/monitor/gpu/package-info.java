/** What NVIDIA's management library says of the machine's GPUs. Knows its binding and the JDK only. */
package ai.valetts.monitor.gpu;
