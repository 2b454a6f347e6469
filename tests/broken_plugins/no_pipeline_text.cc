// Emits what is no pipeline text.
// Caught by: parses
// Words: stage "greedy"
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void next_stage(const Network& network, int stage, StageBuilder& stages) const {
    static_cast<void>(network);
    if (stage == 0) stages.stage("greedy", "train for a while {");
  }
};

}  // namespace

PLAIT_PLUGIN("broken.no_pipeline_text", "1.0.0", "Apache-2.0",
             pretrainer<Broken>("broken.no_pipeline_text_pretrainer"));
