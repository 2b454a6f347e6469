// Class numbers as a number for each class.
#include <plait/mixed_labels.hpp>
#include <plait/sdk.hpp>

#include <string>

using namespace plait::sdk;

namespace {

struct OneHot {
  std::string part = "label";
  int64_t classes = 0;

  static void describe(Describe<OneHot>& d) {
    d.doc("a class number as a number for each class: 1 for its own, 0 for all others");
    d.details("Shapes: the part, one whole number or shares of classes already, becomes f32 [classes].");
    d.field("part", &OneHot::part).doc("part that holds the class number");
    d.field("classes", &OneHot::classes).doc("that there are").range(2, 1 << 20).required();
  }
  static void examples(Examples& e) {
    e.add("classes: 4").input(DType::u8, {2, 3, 1}, "image").input(DType::u8, {}, "label").integers_below(4);
    e.add("part: \"y\" classes: 3").input(DType::i64, {1}, "y").integers_below(3);
    e.add("part: \"y\" classes: 3").input(DType::f32, {3}, "y");
  }

  void infer(Parts& parts) const { infer_shares(parts, part, classes); }
  void apply(Context&, SampleCall& call) const { write_shares(call, part, classes); }
};

}  // namespace

PLAIT_PLUGIN("plait.one_hot", "1.0.0", "Apache-2.0", augmenter<OneHot>("plait.one_hot"));
