/* A library that ends, or keeps, the process that loads it: TEST_BODY runs in a constructor or, with
 * TEST_IN_ENTRY, in the entry. */
#include <plait/abi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef TEST_IN_ENTRY
__attribute__((constructor)) static void begin(void) { TEST_BODY; }
#endif

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host);
const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
#ifdef TEST_IN_ENTRY
  TEST_BODY;
#endif
  return NULL;
}
