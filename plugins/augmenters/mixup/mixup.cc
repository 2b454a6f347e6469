// Samples between samples, with labels between labels.
#include <plait/mixed_labels.hpp>
#include <plait/sdk.hpp>

#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

struct Mixup {
  std::vector<std::string> part = {"image"};
  std::string label = "label";
  int64_t classes = 0;
  double alpha = 0.2;

  static void describe(Describe<Mixup>& d) {
    d.doc("samples of a batch mixed in pairs, their labels as shares of classes");
    d.details(
        "x = share x + (1 - share) x', of the parts and of the label's shares alike; x' is the batch in "
        "another "
        "order, drawn\n"
        "for the batch as share is: from the beta distribution of (alpha, alpha).\n"
        "Shapes: parts of numbers without a variable axis stay as they are; the label, one whole number or "
        "shares already,\n"
        "becomes f32 [classes].\n"
        "Outside training nothing is mixed: a class number becomes its shares, 0 and 1.\n"
        "Source: Zhang, Cisse, Dauphin, Lopez-Paz 2018, section 2.");
    d.field("part", &Mixup::part).doc("parts that are mixed");
    d.field("label", &Mixup::label).doc("part that holds the class number");
    d.field("classes", &Mixup::classes).doc("that there are").range(2, 1 << 20).required();
    d.field("alpha", &Mixup::alpha).doc("small: shares near 0 and 1; 1: all alike").above(0).at_most(1000);
  }
  static void examples(Examples& e) {
    e.add("classes: 4").input(DType::u8, {2, 3, 1}, "image").input(DType::u8, {}, "label").integers_below(4);
    e.add("part: \"x\" label: \"y\" classes: 3 alpha: 1")
        .input(DType::f32, {5}, "x")
        .input(DType::i64, {1}, "y")
        .integers_below(3);
  }

  void validate() const {
    for (const std::string& one : part)
      if (one == label)
        throw Error("part \"", one, "\" is the label too, which is mixed as shares of classes");
  }

  void infer(Parts& parts) const {
    for (const std::string& one : part) {
      const PartSpec& spec = parts.part(one);
      const bool whole = spec.dtype == DType::i32 || spec.dtype == DType::i64;
      if (whole || spec.variable_axis >= 0)
        parts.fail("part \"", one, "\" is ", name_of(spec.dtype), std::span<const int64_t>(spec.shape),
                   spec.variable_axis >= 0 ? " with a variable axis" : "",
                   ", wanted u8 or floating point of a fixed shape");
    }
    infer_shares(parts, label, classes);
  }

  // The other order of the batch.
  uint64_t workspace_bytes(Context&, int64_t batch) const { return BatchMix::workspace_bytes(batch); }

  void apply(Context&, SampleCall& call) const { write_shares(call, label, classes); }

  void apply_batch(Context& c, SampleCall& call) const {
    if (!call.training()) return;
    BatchMix mix(call, label);
    const auto share = static_cast<float>(beta_draw(call.random(), alpha));
    mix.shuffle(call.random());
    for (const std::string& one : part) mix.linear(c, call.part(one), share);
    mix.linear(c, call.part(label), share);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.mixup", "1.0.0", "Apache-2.0", augmenter<Mixup>("plait.mixup"));
