// What the implementations of the loss share: its fields, with their defaults, and the shapes that fit.
#pragma once
#include <plait/sdk.hpp>

namespace your_vendor {

struct YourName {
  float margin = 1;

  static void describe(plait::sdk::Describe<YourName>& d) {
    d.doc("max(0, margin + best wrong score - right score)");
    d.details("Shapes: prediction [N, classes] f32; target [N] i32, class numbers from 0.");
    d.field("margin", &YourName::margin).doc("by how much the right class should win").range(0, 1e6);
  }

  void check(const plait::sdk::LossShapes& s) const {
    using plait::sdk::DType;
    const plait::sdk::Spec p = s.prediction(), t = s.target();
    if (p.dtype() != DType::f32 || p.rank() != 2 || p.shape(1) < 2)
      s.fail("prediction is ", p, ", wanted f32[N, classes]");
    if (t.dtype() != DType::i32 || t.size() != static_cast<size_t>(p.shape(0)))
      s.fail("target is ", t, ", wanted i32[N], as many as there are predictions");
  }
};

plait::sdk::Entry on_cuda();  // your_name.cu

}  // namespace your_vendor
