// Throws in next_stage.
// Caught by: bounded
// Words: next_stage: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network&, int, StageBuilder&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_stage", "1.0.0", "Apache-2.0",
             pretrainer<Broken>("broken.throws_in_stage_pretrainer"));
