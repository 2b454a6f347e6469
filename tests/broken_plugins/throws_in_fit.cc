// Throws in the pass over the data.
// Caught by: fit
// Words: fit_observe: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void apply(Context&, SampleCall&) const {}
  size_t fit_size(const Parts&) const { return 1; }
  void fit_observe(Context&, SampleCall&, std::span<double>) const {
    throw std::runtime_error("no more paper");
  }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_fit", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.throws_in_fit_augmenter"));
