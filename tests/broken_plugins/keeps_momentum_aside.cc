// Keeps the change of the round before in the instance: a run that is resumed has lost it.
// Caught by: whole_states
// Words: a new instance that is given the states of three rounds goes on otherwise
#include <plait/sdk.hpp>

#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void combine_whole(Context&, const WholeReduction& call) const {
    call.average_all(call.equal_weights());
    before_.resize(call.count);
    for (size_t i = 0; i < call.count; ++i)
      call.combined[i] = before_[i] = 0.5f * before_[i] + call.combined[i];
  }

 private:
  mutable std::vector<float> before_;
};

}  // namespace

PLAIT_PLUGIN("broken.keeps_momentum_aside", "1.0.0", "Apache-2.0",
             reducer<Broken>("broken.keeps_momentum_aside_reducer"));
