// Right: mixes samples of a batch, their labels made shares of classes first.
// Caught by: nothing
// Words: right_mix_augmenter: batch.* 0 failed
#include <algorithm>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Mix {
  int64_t classes = 10;
  static void describe(Describe<Mix>& d) {
    d.doc("mixes neighbours");
    d.field("classes", &Mix::classes).doc("classes").range(1, 1000);
  }
  void infer(Parts& parts) const {
    PartSpec& label = parts.part("label");
    if (label.dtype != DType::i32 || !label.shape.empty()) parts.fail("label is not one i32");
    label.dtype = DType::f32, label.shape = {classes};
    parts.add("again", DType::f32, {2});
  }
  void apply(Context&, SampleCall& call) const {
    const int32_t label = call.input("label").data<int32_t>()[0];
    if (label < 0 || label >= classes) throw Error("label ", label, " is not in 0 .. ", classes - 1);
    std::ranges::fill(call.output("label").f32(), 0.0f);
    call.output("label").f32()[static_cast<size_t>(label)] = 1;
    std::ranges::fill(call.output("again").f32(), 0.5f);
  }
  void apply_batch(Context&, SampleCall& call) const {
    const auto share = static_cast<float>(call.random().uniform(0.5, 1));
    for (const char* name : {"label", "again"}) {
      const auto [in, out] = call.part(name);
      const auto count = static_cast<size_t>(in.shape(0));
      for (size_t n = 0; n < count; ++n) {
        const auto a = in.sample<float>(n), b = in.sample<float>((n + 1) % count), y = out.sample<float>(n);
        for (size_t i = 0; i < y.size(); ++i) y[i] = share * a[i] + (1 - share) * b[i];
      }
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_mix", "1.0.0", "Apache-2.0", augmenter<Mix>("broken.right_mix_augmenter"));
