// A metric whose device does not wait for what it counts: a batch is in the state after the next one.
// Caught by: same_states
// Words: number 0 of the state is 0 on the device, 12 on the host, once the stream was waited for
#include <atomic>
#include <plait/sdk.hpp>

#include "plain_device.h"

namespace {
using namespace plait::sdk;

struct Own : PlainDevice {
  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
};

struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(left_.exchange(prediction.shape(0)));
  }

 private:
  mutable std::atomic<int64_t> left_ = 0;
};

struct Broken {
  static constexpr MetricValue values[] = {{"samples", MetricValue::kHigher, "how many there are"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context&, Tensor prediction, Tensor, std::span<double> state) const {
    state[0] += static_cast<double>(prediction.shape(0));
  }
  void finish(std::span<const double> state, std::span<double> results) const { results[0] = state[0] > 0; }
};

}  // namespace

PLAIT_PLUGIN("broken.counts_later_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.counts_later_on_device"),
             metric<Broken>("broken.counts_later_on_device_metric"),
             implementation<There>("broken.counts_later_on_device_metric", "broken.counts_later_on_device"));
