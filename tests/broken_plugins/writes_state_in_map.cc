// Counts calls in the state, which belongs to finish.
// Caught by: arrays_memory
// Words: map writes state "before", which it is given to read
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {3}, "features"); }
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.state("before", DType::i64);
  }
  void map(Context&, const Records&, Accumulated& out) const {
    ++*const_cast<int64_t*>(out.state<int64_t>("before").data());
  }
  bool finish(Context&, Pass&) const { return false; }
};

}  // namespace

PLAIT_PLUGIN("broken.writes_state_in_map", "1.0.0", "Apache-2.0",
             task<Broken>("broken.writes_state_in_map_task"));
