/* Defaults that must be in the process environment before libtorch and its OpenMP runtime are loaded.
 *
 * Java cannot set its own environment, so it loads this library first; the constructor runs during that load. A value
 * that the user has set is never overwritten.
 */
#include <stdlib.h>

__attribute__((constructor)) static void set_process_defaults(void) {
  /* Idle OpenMP threads sleep. Spinning steals the cores from the threads that decode and collate: on two cores the same
   * network took 776 ms a step spinning and 27 ms sleeping. */
  setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  /* libgomp still spins for a while with a passive policy only if this is set; zero makes the intent explicit. */
  setenv("GOMP_SPINCOUNT", "0", 0);
}
