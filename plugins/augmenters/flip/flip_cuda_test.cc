// The kernel against the host's implementation.
#include <doctest/doctest.h>
#include <plait/cuda/testing.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;
using namespace plait::sdk::testing;

TEST_CASE("flip's kernel does to each sample what the host does") {
  constexpr uint64_t kSamples = 40, kElements = 5 * 4 * 3;
  std::vector<plait_rng> rngs;
  std::vector<uint32_t> x, y(kSamples * kElements), wanted;
  TestHost host;
  const Entry entry = linked("plait.flip");
  for (uint64_t n = 0; n < kSamples; ++n) {
    rngs.push_back({77, n << 20 | 3});
    AugmenterTest test(host, entry, Settings(entry).set("horizontal", 0.5).set("vertical", 0.25),
                       {{"image", DType::i32, {5, 4, 3}}});
    const auto in = test.sample.inputs[0].data<int32_t>();
    for (uint64_t i = 0; i < kElements; ++i) in[i] = static_cast<int32_t>(n * 1000 + i);
    x.insert(x.end(), in.begin(), in.end());
    test.sample.rng = rngs.back();
    test.apply();
    const auto out = test.sample.outputs[0].data<int32_t>();
    wanted.insert(wanted.end(), out.begin(), out.end());
  }
  gpu::testing::map(kSamples * kElements,
                    plait::flip::Mirror<uint32_t>{x.data(), y.data(), rngs.data(), 5, 4, 3, 0.5, 0.25});
  CHECK(y == wanted);
  CHECK(y != x);
}
