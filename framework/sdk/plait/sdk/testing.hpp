// For the tests of plugins: a host that fits in one header. Not part of <plait/sdk.hpp>.
//
//   TestHost host;
//   const Entry swish = layer<Swish>("acme.swish");
//   LayerTest test(host, swish, Settings(swish).set("beta", 2), {{"x", DType::f32, {4, 7}}});
//   test.forward();
//   CHECK(test.output().f32()[0] == doctest::Approx(...));
//   CHECK(test.gradient_error() < 1e-2);
//
// Failures of a plugin arrive as std::runtime_error with the plugin's text.
// Threads: one test, one thread; parallel_for runs on host.lanes threads.
#pragma once
#include "testing_accumulators.hpp"
#include "testing_host.hpp"
#include "testing_keyed.hpp"
#include "testing_layer.hpp"
