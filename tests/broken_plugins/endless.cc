// Builds stages without end.
// Caught by: bounded
// Words: goes on
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    static_cast<void>(network);
    stages.begin(text("stage ", stage));
    stages.epochs(1);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.endless", "1.0.0", "Apache-2.0", pretrainer<Broken>("broken.endless_pretrainer"));
