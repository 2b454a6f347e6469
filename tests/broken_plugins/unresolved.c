// Calls a function that nobody has.
// Caught by: loads
// Words: symbol
#include <plait/abi.h>

int nobody_has_this(void);
__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  nobody_has_this();
  return 0;
}
