// Needs a host that does not exist yet.
// Caught by: loads
// Words: needs a Plait of ABI 1.99
#include <plait/abi.h>

__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  static const plait_plugin plugin = {.struct_size = sizeof(plait_plugin),
                                      .abi_draft = PLAIT_ABI_DRAFT,
                                      .min_host_minor = 99,
                                      .id = "broken.newer_minor",
                                      .version = "1.0.0",
                                      .license = "Apache-2.0"};
  (void)host;
  return &plugin;
}
