// Its rule for "auto" looks at the batch: a record's prediction is another alone than among others.
// Caught by: choices
// Words: a choice is kept with the run, for all of it
#include <plait/kernel_notes.hpp>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string implementation = "auto";
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("implementation", &Broken::implementation).doc("who computes").choices({"auto", "own", "other"});
  }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  struct Kernel {
    Kernel(const Broken& config, Context& c, const LayerRequest& r, LayerNeeds&) {
      if (config.implementation == "auto")
        KernelNotes(c).chose("implementation", r.input().shape(0) > 64 ? "other" : "own");
    }
    void forward(Context&, const LayerCall& call) const {
      for (size_t i = 0; i < call.input().size(); ++i) call.output().f32()[i] = 2 * call.input().f32()[i];
    }
    void backward(Context&, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      for (size_t i = 0; i < call.input().size(); ++i)
        call.input_gradient().f32()[i] = 2 * call.output_gradient().f32()[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.chooses_by_batch", "1.0.0", "Apache-2.0", layer<Broken>("broken.chooses_by_batch"));
