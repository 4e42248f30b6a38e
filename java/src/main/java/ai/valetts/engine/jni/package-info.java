/**
 * The JavaCPP binding of the native core and the implementation of {@link ai.valetts.engine.Engine} on it. Only
 * {@code app} imports this package, and only {@link ai.valetts.engine.jni.NativeEngine} is meant for it.
 */
package ai.valetts.engine.jni;
