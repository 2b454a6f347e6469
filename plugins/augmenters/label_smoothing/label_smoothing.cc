// Labels that leave a little to every class.
#include <plait/mixed_labels.hpp>
#include <plait/sdk.hpp>

#include <string>

using namespace plait::sdk;

namespace {

struct LabelSmoothing {
  std::string label = "label";
  int64_t classes = 0;
  double amount = 0.1;

  static void describe(Describe<LabelSmoothing>& d) {
    d.doc("labels as shares of classes, a little of which belongs to all classes alike");
    d.details(
        "share = (1 - amount) share + amount / classes.\n"
        "Shapes: the label, one whole number or shares already, becomes f32 [classes].\n"
        "Outside training a class number becomes its shares, 0 and 1.\n"
        "Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, section 7.");
    d.field("label", &LabelSmoothing::label).doc("part that holds the class number");
    d.field("classes", &LabelSmoothing::classes).doc("that there are").range(2, 1 << 20).required();
    d.field("amount", &LabelSmoothing::amount).doc("what belongs to all classes").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add("classes: 4").input(DType::u8, {2, 3, 1}, "image").input(DType::u8, {}, "label").integers_below(4);
    e.add("label: \"y\" classes: 3 amount: 0.5").input(DType::f32, {3}, "y");
  }

  void infer(Parts& parts) const { infer_shares(parts, label, classes); }

  void apply(Context&, SampleCall& call) const {
    const auto shares = write_shares(call, label, classes);
    if (!call.training()) return;
    const auto kept = static_cast<float>(1 - amount),
               all = static_cast<float>(amount / static_cast<double>(classes));
    for (float& share : shares) share = kept * share + all;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.label_smoothing", "1.0.0", "Apache-2.0",
             augmenter<LabelSmoothing>("plait.label_smoothing"));
