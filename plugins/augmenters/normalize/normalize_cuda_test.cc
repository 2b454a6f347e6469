// The kernel against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"
#include "fields.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

// A host without a fused multiply-add rounds the product too: three roundings of numbers below 4, 2^-23 each.
TEST_CASE("normalize's kernel does what the host does") {
  TestHost host;
  const Entry entry = linked("plait.normalize");
  Settings settings(entry);
  const double means[] = {0.1, 0.25, 0.7}, deviations[] = {0.3, 0.4, 0.5};
  settings.clear("mean").clear("deviation");
  for (size_t k = 0; k < 3; ++k) settings.add("mean", means[k]).add("deviation", deviations[k]);
  AugmenterTest test(host, entry, settings, {{"image", DType::u8, {16, 17, 3}}});
  const auto x = test.sample.inputs[0].data<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i * 7);
  test.apply();
  std::vector<float> y(x.size());
  plait::normalize::Scale<uint8_t> work{x.data(), y.data(), 3, {}, {}};
  for (size_t k = 0; k < 3; ++k) {
    work.factors[k] = static_cast<float>(1.0 / 255 / deviations[k]);
    work.offsets[k] = static_cast<float>(-means[k] / deviations[k]);
  }
  gpu::testing::map(y.size(), work);
  const auto wanted = test.sample.outputs[0].f32();
  for (size_t i = 0; i < y.size(); ++i) CHECK(std::abs(y[i] - wanted[i]) <= 3 * 0x1p-23f);
}
