// Reads the values of a stage's array while the job is only checked.
// Caught by: stage_shapes
// Words: has not run yet
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  StageOutput from;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("from", &Broken::from).doc("stage that makes size").required();
  }
  static void examples(Examples& e) {
    e.add("from: \"s\"").input(DType::f32, {4}, "x").stage("s", "size", {1}, {2});
  }
  void infer(Parts& parts) const { parts.part("x").shape = {static_cast<int64_t>(from.numbers("size")[0])}; }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    for (size_t i = 0; i < out.size(); ++i) out.f32()[i] = in.f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("plait.reads_stage_in_infer", "1.0.0", "Apache-2.0",
             augmenter<Broken>("plait.reads_stage_in_infer"));
