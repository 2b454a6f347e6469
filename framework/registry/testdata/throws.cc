// A plugin that throws in its entry, which no plugin may.
#include <plait/abi.h>

#include <stdexcept>

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  throw std::runtime_error("the moon is full");
}
