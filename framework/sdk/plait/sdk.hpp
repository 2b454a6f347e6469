// sdk/: the C++20 face of the border. A plugin author includes this header and writes plain structs:
//
//   #include <cmath>
//   #include <plait/sdk.hpp>
//   using namespace plait::sdk;
//
//   struct Swish {
//     float beta = 1.0f;  // the default, written once
//     static void describe(Describe<Swish>& d) {
//       d.doc("x * sigmoid(beta * x)");
//       d.field("beta", &Swish::beta).doc("steepness of the gate").range(0, 100);
//     }
//     void forward(Context& c, In x, Out y) const {
//       c.parallel_for(x.size(), [&](size_t i) { y[i] = x[i] / (1 + std::exp(-beta * x[i])); });
//     }
//     void backward(Context& c, In x, In dy, Out dx) const {
//       c.parallel_for(x.size(), [&](size_t i) {
//         const float s = 1 / (1 + std::exp(-beta * x[i]));
//         dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
//       });
//     }
//   };
//   PLAIT_PLUGIN("acme.activations", "1.2.0", "BSD-3-Clause", layer<Swish>("acme.swish"));
//
// Header-only; needs <plait/abi.h> and the standard library, no run-time type information, no static
// registrars. Each kind's header begins with what a struct of that kind needs.
#pragma once
#include <plait/abi.h>

#include "sdk/augmenter.hpp"
#include "sdk/block.hpp"
#include "sdk/checked.hpp"
#include "sdk/child.hpp"
#include "sdk/combiner.hpp"
#include "sdk/context.hpp"
#include "sdk/describe.hpp"
#include "sdk/device.hpp"
#include "sdk/entry.hpp"
#include "sdk/error.hpp"
#include "sdk/examples.hpp"
#include "sdk/fast.hpp"
#include "sdk/keyed.hpp"
#include "sdk/layer.hpp"
#include "sdk/loss.hpp"
#include "sdk/metric.hpp"
#include "sdk/optimizer.hpp"
#include "sdk/parts.hpp"
#include "sdk/plugin.hpp"
#include "sdk/ports.hpp"
#include "sdk/pretrainer.hpp"
#include "sdk/random.hpp"
#include "sdk/reducer.hpp"
#include "sdk/schedule.hpp"
#include "sdk/sink.hpp"
#include "sdk/source.hpp"
#include "sdk/task.hpp"
#include "sdk/tensor.hpp"
