/**
 * Reports by a language model through OpenRouter: what is sent, what it may cost, and what happens when the other side
 * fails. The key is held in one place, {@link ai.valetts.report.llm.Secret}, and taken out of everything that comes back.
 */
package ai.valetts.report.llm;
