// Throws in apply.
// Caught by: memory
// Words: apply: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void apply(Context&, SampleCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_apply", "1.0.0", "Apache-2.0",
             augmenter<Broken>("broken.throws_in_apply_augmenter"));
