// Uses memory in create without looking whether it got any.
// Caught by: create_refused_allocation
// Words: crashes .SIGSEGV.*allocation
#include <cstdlib>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  uint64_t workspace_bytes(const LossShapes&) const {
    auto* table = static_cast<volatile float*>(std::malloc(4096));
    table[0] = 1;
    std::free(const_cast<float*>(table));
    return 0;
  }
  void compute(Context&, const LossCall& call) const {
    const In p = call.prediction().f32(), t = call.target().f32();
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) sum += 0.5 * (p[i] - t[i]) * (p[i] - t[i]);
    call.c()->result[0] = sum, call.c()->result[1] = static_cast<double>(p.size());
    *call.c()->bad_target = -1;
    if (!call.gradient()) return;
    for (size_t i = 0; i < p.size(); ++i)
      call.gradient().f32()[i] =
          static_cast<float>((p[i] - t[i]) * call.gradient_scale() / static_cast<double>(p.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("broken.unchecked_loss", "1.0.0", "Apache-2.0", loss<Broken>("broken.unchecked_loss_loss"));
