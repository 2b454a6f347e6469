// What the implementations of the optimizer share: its fields, with their defaults, its slot, and what they
// mean.
#pragma once
#include <plait/sdk.hpp>

namespace your_vendor {

struct YourName {
  double rate = 0.001, momentum = 0.9;
  static constexpr bool elementwise = true;

  static void describe(plait::sdk::Describe<YourName>& d) {
    d.doc("w -= rate * sign(v), v = momentum v + (1 - momentum) g");
    d.field("rate", &YourName::rate).doc("size of a step").range(0, 1e6).runtime();
    d.field("momentum", &YourName::momentum).doc("memory of the average").at_least(0).below(1).runtime();
    d.slot("average");
  }
};

plait::sdk::Entry on_cuda();  // your_name.cu

}  // namespace your_vendor
