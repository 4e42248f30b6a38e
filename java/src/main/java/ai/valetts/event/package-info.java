/** Facts a run publishes, and the bus that carries them to whoever listens. Knows the JDK only. */
package ai.valetts.event;
