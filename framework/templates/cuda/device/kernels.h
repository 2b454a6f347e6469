// What runs on the device out of the box: enough for train.txtpb. Types are described by the plugins that
// Plait ships; here are further implementations of them.
#pragma once
#include <plait/sdk.hpp>

namespace your_vendor {

inline constexpr const char* kDevice = "your_vendor.your_name";

plait::sdk::Entry dense();
plait::sdk::Entry relu();
plait::sdk::Entry flatten();
plait::sdk::Entry softmax_cross_entropy();
plait::sdk::Entry sgd();

}  // namespace your_vendor
