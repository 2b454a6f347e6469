// What the implementations of the layer share: its fields, with their defaults, and what they mean.
#pragma once
#include <plait/sdk.hpp>

namespace your_vendor {

struct YourName {
  float beta = 1;  // the default, written once

  static void describe(plait::sdk::Describe<YourName>& d) {
    d.doc("x * sigmoid(beta x), elementwise");
    d.field("beta", &YourName::beta).doc("steepness of the gate").range(0, 100);
  }
};

plait::sdk::Entry on_cuda();  // your_name.cu

}  // namespace your_vendor
