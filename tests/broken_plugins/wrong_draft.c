// Built for another draft of the border.
// Caught by: loads
// Words: draft 999
#include <plait/abi.h>

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  static const plait_plugin plugin = {.struct_size = sizeof(plait_plugin),
                                      .abi_draft = 999,
                                      .id = "broken.wrong_draft",
                                      .version = "1.0.0",
                                      .license = "Apache-2.0"};
  (void)host;
  return &plugin;
}
