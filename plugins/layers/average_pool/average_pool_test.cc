#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kAveragePool = linked("plait.average_pool");

LayerTest make(TestHost& host, std::vector<int64_t> shape, int kernel, int stride, int padding,
               bool include = true) {
  Settings s(kAveragePool);
  s.set("kernel", kernel).set("stride", stride).set("padding", padding).set("count_include_pad", include);
  return LayerTest(host, kAveragePool, std::move(s), {{"x", DType::f32, std::move(shape)}});
}

}  // namespace

TEST_CASE("average_pool worked by hand, padding counted or not") {
  TestHost host;
  for (const bool include : {true, false}) {
    LayerTest layer = make(host, {1, 3, 3, 1}, 2, 2, 1, include);
    layer.input().fill({1, 2, 3, 4, 5, 6, 7, 8, 9});
    layer.forward();
    const std::vector<float> sums = {1, 5, 11, 28}, counts = {1, 2, 2, 4};
    for (size_t i = 0; i < 4; ++i) CHECK(layer.output().f32()[i] == sums[i] / (include ? 4 : counts[i]));
  }
}

TEST_CASE("average_pool gradients") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    CHECK(make(host, {3, 6, 4, 5}, 2, 2, 0).gradient_error(200) < 1e-3);
    CHECK(make(host, {1, 5, 7, 19}, 3, 2, 1).gradient_error(200) < 1e-3);
    CHECK(make(host, {2, 5, 5, 1}, 3, 1, 1, false).gradient_error(200) < 1e-3);
    CHECK(make(host, {2, 9, 3}, 4, 3, 0).gradient_error(200) < 1e-3);
    CHECK(make(host, {2, 3, 4, 3, 2}, 2, 1, 1).gradient_error(200) < 1e-3);
  }
}

TEST_CASE("average_pool adds to an input gradient when asked") {
  TestHost host;
  LayerTest layer(host, kAveragePool, Settings(kAveragePool).set("kernel", 2).set("implementation", "own"),
                  {{"x", DType::f32, {1, 2, 2, 1}}});
  layer.output_gradients[0].fill({8});
  layer.forward();
  layer.backward();
  layer.accumulate = true;
  layer.backward();
  for (const float dx : layer.input_gradients[0].f32()) CHECK(dx == 4);
}

TEST_CASE("average_pool says what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(make(host, {1, 5, 5, 1}, 7, 1, 0),
                       doctest::Contains("kernel 7x7 is larger than the input 5x5"), std::runtime_error);
}

// oneDNN's is the reference. Both add up to kernel^2 numbers of at most 1, in another order.
TEST_CASE("average_pool's own loops are oneDNN's pooling") {
  struct Case {
    std::vector<int64_t> x;
    int kernel, stride, padding;
    bool include;
  };
  for (const Case& e : {Case{{3, 6, 4, 5}, 2, 2, 0, true}, Case{{1, 5, 7, 19}, 3, 2, 1, true},
                        Case{{2, 5, 5, 1}, 3, 1, 1, false}, Case{{2, 9, 3}, 4, 3, 0, true},
                        Case{{2, 3, 4, 3, 2}, 2, 1, 1, true}, Case{{4, 8, 8, 64}, 8, 8, 0, true}}) {
    CAPTURE(e.kernel);
    TestHost host;
    const auto run = [&](const char* implementation) {
      Settings s(kAveragePool);
      s.set("kernel", e.kernel).set("stride", e.stride).set("padding", e.padding);
      s.set("count_include_pad", e.include).set("implementation", implementation);
      LayerTest layer(host, kAveragePool, std::move(s), {{"x", DType::f32, e.x}});
      layer.output_gradients[0].randomize(3);
      layer.forward();
      layer.backward();
      const auto y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      std::vector<float> all(y.begin(), y.end());
      all.insert(all.end(), dx.begin(), dx.end());
      return all;
    };
    const std::vector<float> own = run("own"), onednn = run("onednn");
    for (size_t i = 0; i < own.size(); ++i)
      CHECK(std::abs(own[i] - onednn[i]) <= e.kernel * e.kernel * 0x1p-23f);
  }
}
