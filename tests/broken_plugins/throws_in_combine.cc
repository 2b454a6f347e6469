// Throws in combine.
// Caught by: memory
// Words: combine: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine(Context&, std::span<const float* const>, Out) const {
    throw std::runtime_error("no more paper");
  }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_combine", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.throws_in_combine_reducer"));
