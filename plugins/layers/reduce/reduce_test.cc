#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kReduce = linked("plait.reduce");

}  // namespace

// PyTorch 2.15; both are off by some roundings.
TEST_CASE("reduce to the mean of the channels") {
  TestHost host;
  LayerTest layer(host, kReduce, Settings(kReduce).set("axes", -1), {{"x", DType::f32, {2, 2, 4}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4, 4, -4, 5, -2});
  layer.output_gradients[0].fill({-1, -4, -1, -3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {0.25f, -0.25f, -1, 0.75f};
  const std::vector<float> dx = {-0.25f, -0.25f, -0.25f, -0.25f, -1,     -1,     -1,     -1,
                                 -0.25f, -0.25f, -0.25f, -0.25f, -0.75f, -0.75f, -0.75f, -0.75f};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2});
  CHECK(distance(layer.output().f32(), y) <= 3e-7);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 3e-7);
}

// PyTorch 2.15.
TEST_CASE("reduce to sums along an axis between, kept") {
  TestHost host;
  LayerTest layer(host, kReduce,
                  Settings(kReduce).set("operation", std::string("sum")).set("axes", 2).set("keep", true),
                  {{"x", DType::f32, {1, 2, 3, 2}}});
  layer.input().fill({-4, 4, -4, 5, -2, -3, 2, 2, -3, -2, 5, -4});
  layer.output_gradients[0].fill({-1, -4, -1, -3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-10, 6, 4, -4};
  const std::vector<float> dx = {-1, -4, -1, -4, -1, -4, -1, -3, -1, -3, -1, -3};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{1, 2, 1, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// PyTorch 2.15; no two are equal.
TEST_CASE("reduce to the largest along two axes") {
  TestHost host;
  LayerTest layer(host, kReduce,
                  Settings(kReduce).set("operation", std::string("max")).set("axes", 1).add("axes", 3),
                  {{"x", DType::f32, {2, 2, 2, 3}}});
  layer.input().fill(
      {-12, -5, 2, 9, -8, -1, 6, -11, -4, 3, 10, -7, 0, 7, -10, -3, 4, 11, -6, 1, 8, -9, -2, 5});
  layer.output_gradients[0].fill({-1, -4, -1, -3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {6, 10, 8, 11};
  const std::vector<float> dx = {-0, -0, -0, -0, -0, -0, -1, -0, -0, -0, -4, -0,
                                 -0, -0, -0, -0, -0, -3, -0, -0, -1, -0, -0, -0};
  CHECK(layer.output().spec().shape == std::vector<int64_t>{2, 2});
  CHECK(distance(layer.output().f32(), y) == 0);
  CHECK(distance(layer.input_gradients[0].f32(), dx) == 0);
}

// By hand: rows of 2 and 3 steps of [4, 2]; what lies past them is not seen.
TEST_CASE("reduce looks at no more steps than a sample has") {
  for (const char* operation : {"mean", "sum", "max"}) {
    TestHost host;
    LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string(operation)).set("axes", 1),
                    {{"x", DType::f32, {3, 3, 2}, 1}});
    layer.inputs[0].lengths = layer.input_gradients[0].lengths = {2, 3, 0};
    layer.input().fill({1, 5, 2, -1, 99, 99, 3, 1, -3, 7, 6, 4, 99, 99, 99, 99});
    layer.output_gradients[0].fill({6, 12, 6, 12, 6, 12});
    layer.forward();
    layer.backward();
    const std::vector<float> mean = {1.5f, 2, 2, 4, 0, 0}, sum = {3, 4, 6, 12, 0, 0},
                             most = {2, 5, 6, 7, 0, 0};
    const std::vector<float> dmean = {3, 6, 3, 6, 0, 0, 2, 4, 2, 4, 2, 4, 0, 0, 0, 0, 0, 0};
    const std::vector<float> dsum = {6, 12, 6, 12, 0, 0, 6, 12, 6, 12, 6, 12, 0, 0, 0, 0, 0, 0};
    const std::vector<float> dmost = {0, 12, 6, 0, 0, 0, 0, 0, 0, 12, 6, 0, 0, 0, 0, 0, 0, 0};
    const bool is_mean = operation[1] == 'e', is_sum = operation[1] == 'u';
    CHECK(distance(layer.output().f32(), is_mean ? mean : is_sum ? sum : most) <= 1e-7);
    CHECK(distance(layer.input_gradients[0].f32(), is_mean ? dmean : is_sum ? dsum : dmost) <= 1e-6);
  }
}

TEST_CASE("reduce passes NaN on") {
  for (const char* operation : {"mean", "sum", "max"}) {
    TestHost host;
    LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string(operation)),
                    {{"x", DType::f32, {2, 3}}});
    layer.input().fill({1, NAN, 2, 3, 4, 5});
    layer.forward();
    CHECK(std::isnan(layer.output().f32()[0]));
    CHECK(!std::isnan(layer.output().f32()[1]));
  }
}

TEST_CASE("reduce gradients, and the same for any lanes") {
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("mean")),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("mean")).set("axes", 2),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("mean")).set("axes", -1),
                      {{"x", DType::f32, {300, 70}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("sum")),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("sum")).set("axes", 2),
                      {{"x", DType::f32, {5, 4, 6, 7}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
  {
    std::vector<float> of_one;
    for (const int lanes : {1, 2}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("sum")).set("axes", -1),
                      {{"x", DType::f32, {300, 70}}});
      CHECK(layer.gradient_error(40) < 1e-3);
      const Out y = layer.output().f32(), dx = layer.input_gradients[0].f32();
      if (lanes == 1) of_one.assign(y.begin(), y.end());
      CHECK(std::equal(y.begin(), y.end(), of_one.begin()));
      const std::vector<float> once(dx.begin(), dx.end());
      layer.accumulate = layer.accumulates;
      layer.backward();
      for (size_t i = 0; i < once.size() && layer.accumulate; ++i)
        CHECK(dx[i] == doctest::Approx(2 * once[i]));
    }
  }
}

TEST_CASE("reduce gives the gradient to the largest alone") {
  TestHost host;
  LayerTest layer(host, kReduce, Settings(kReduce).set("operation", std::string("max")),
                  {{"x", DType::f32, {4, 30}}});
  for (size_t i = 0; i < 120; ++i) layer.input().f32()[i] = static_cast<float>(i * 37 % 120);
  CHECK(layer.gradient_error(120) < 1e-3);
}

TEST_CASE("reduce refuses what does not fit") {
  TestHost host;
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kReduce, Settings(kReduce).set("axes", 0), {{"x", DType::f32, {1, 3, 2}}}),
      doctest::Contains("axis 0 of f32[1, 3, 2] cannot be reduced: wanted 1 to 2, or -1 to -2"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kReduce, Settings(kReduce).set("axes", 2).add("axes", -1),
                                 {{"x", DType::f32, {1, 3, 2}}}),
                       doctest::Contains("axis -1 of f32[1, 3, 2] is named twice"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kReduce, Settings(kReduce), {{"x", DType::f32, {4}}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ...]"), std::runtime_error);
  CHECK_THROWS_WITH_AS(LayerTest(host, kReduce, Settings(kReduce), {{"x", DType::f32, {4, 0, 3}}}),
                       doctest::Contains("axis 1 of the input is 0, wanted at least 1"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      LayerTest(host, kReduce, Settings(kReduce).set("axes", 2), {{"x", DType::f32, {2, 4, 3}, 1}}),
      doctest::Contains("axis 1 of the input varies"), std::runtime_error);
}

// oneDNN is the reference: it sums 594 numbers of -1 to 1 in f32, each step off by half a unit of 2^-24 of at
// most 594, in practice of about 25.
TEST_CASE("reduce's own loops are oneDNN's reduction along the last axes") {
  for (const int lanes : {1, 2}) {
    for (const char* operation : {"mean", "sum"}) {
      for (const std::vector<int64_t>& axes : {std::vector<int64_t>{3}, {2, 3}, {1, 2, 3}}) {
        TestHost host;
        host.lanes = lanes;
        const auto made = [&](const char* whose) {
          Settings s = Settings(kReduce)
                           .set("operation", std::string(operation))
                           .set("implementation", std::string(whose))
                           .clear("axes");
          for (const int64_t axis : axes) s.add("axes", axis);
          return s;
        };
        LayerTest own(host, kReduce, made("own"), {{"x", DType::f32, {3, 4, 18, 33}}});
        LayerTest onednn(host, kReduce, made("onednn"), {{"x", DType::f32, {3, 4, 18, 33}}});
        for (LayerTest* layer : {&own, &onednn}) {
          layer->input().randomize(1);
          layer->output_gradients[0].randomize(2);
          layer->forward();
          layer->backward();
        }
        CHECK(distance(own.output().f32(), onednn.output().f32()) <= 1e-5);
        CHECK(std::ranges::equal(own.input_gradients[0].f32(), onednn.input_gradients[0].f32()));
      }
    }
  }
}

TEST_CASE("reduce by oneDNN hides no NaN, and refuses what it would hide or compute by reference code") {
  TestHost host;
  const auto onednn = [&](const char* operation, int64_t axis, PartSpec x) {
    return LayerTest(host, kReduce,
                     Settings(kReduce)
                         .set("operation", std::string(operation))
                         .set("implementation", std::string("onednn"))
                         .set("axes", axis),
                     {std::move(x)});
  };
  LayerTest layer = onednn("sum", 2, {"x", DType::f32, {2, 3, 40}});
  layer.input().randomize(1);
  layer.input().f32()[45] = NAN;
  layer.forward();
  for (size_t i = 0; i < 6; ++i) CHECK(std::isnan(layer.output().f32()[i]) == (i == 1));
  CHECK_THROWS_WITH_AS(onednn("max", 2, {"x", DType::f32, {2, 3, 40}}), doctest::Contains("passes over NaN"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(onednn("mean", 1, {"x", DType::f32, {2, 3, 40}}),
                       doctest::Contains("along the last axes"), std::runtime_error);
  CHECK_THROWS_WITH_AS(onednn("mean", 1, {"x", DType::f32, {2, 3, 40}, 1}), doctest::Contains("varies"),
                       std::runtime_error);
}
