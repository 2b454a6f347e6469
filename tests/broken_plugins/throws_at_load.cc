// Lets an exception out of its entry.
// Caught by: loads
// Words: exception
// Alone: it writes its entry itself
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

[[noreturn]] void refuse() { throw 1; }

}  // namespace

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  refuse();
}
