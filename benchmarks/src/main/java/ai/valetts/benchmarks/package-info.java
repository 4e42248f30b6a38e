/** Measurements of the product's Java side. They inform and never gate. */
package ai.valetts.benchmarks;
