// Counts the calls that failed, and emits another key after one.
// Caught by: history
// Words: calls before change what is emitted
#include <plait/sdk.hpp>

#include <atomic>
#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kI64;
  mutable std::atomic<int> failed{0};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void map(Context&, const Records& records, Emitter& out) const {
    for (size_t n = 0; n < records.size(); ++n) {
      try {
        out.emit("records " + std::to_string(failed), int64_t{1});
      } catch (...) {
        ++failed;
        throw;
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_after_failures", "1.0.0", "Apache-2.0",
             task<Broken>("broken.maps_after_failures_task"));
