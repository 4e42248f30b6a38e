/* Defaults that must be in the process environment before libtorch and its OpenMP runtime are loaded.
 *
 * Java cannot set its own environment, so it loads this library first; the constructor runs during that load. A value
 * that the user has set is never overwritten.
 */
#include <stdlib.h>

__attribute__((constructor)) static void set_process_defaults(void) {
  /* Idle OpenMP threads sleep. Spinning steals the cores from the threads that decode and collate, and on a small machine
   * that is doing anything else it makes a step many times slower. */
  setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  /* A passive thread does not spin before it sleeps either. */
  setenv("GOMP_SPINCOUNT", "0", 0);
  /* Left as they are: the caches of compiled convolutions (ONEDNN_PRIMITIVE_CACHE_CAPACITY, LRU_CACHE_CAPACITY). Memory
   * levels out after the first few dozen batch shapes, which the loader keeps few; smaller caches cost time. */
}
