/** Immutable configuration records, the YAML loader that builds them, and every rule a configuration must satisfy. */
package ai.valetts.config;
