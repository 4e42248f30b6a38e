/**
 * The native core as Java sees it: a training session, a voice, batches and metrics. No tensor and no binding type
 * appears here; {@code engine.jni} implements these interfaces and only {@code app} knows it.
 */
package ai.valetts.engine;
