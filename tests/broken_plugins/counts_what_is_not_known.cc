// Takes the number of rows that a stage will make for something else while nobody knows it.
// Caught by: stage_shapes
// Words: infer answers x \[1\] f32 while the stage that it names has not run, and x \[3\] f32 once it has
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  StageOutput from;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("from", &Broken::from).doc("stage that makes rows").required();
  }
  static void examples(Examples& e) {
    e.add("from: \"s\"").input(DType::f32, {4}, "x").stage("s", "rows", {3}, {2, 3, 4});
  }
  bool has_run() const {
    try {
      from.array("rows");
      return true;
    } catch (const Error&) {
      return false;
    }
  }
  void infer(Parts& parts) const { parts.part("x").shape = {has_run() ? from.shape("rows")[0] : 1}; }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    for (size_t i = 0; i < out.size(); ++i) out.f32()[i] = in.f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("plait.counts_what_is_not_known", "1.0.0", "Apache-2.0",
             augmenter<Broken>("plait.counts_what_is_not_known"));
