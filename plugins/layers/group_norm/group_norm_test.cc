#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kGroupNorm = linked("plait.group_norm");

// (i factor mod modulus) / 8 - modulus / 16: numbers that f32 holds, as PyTorch was given them.
void fill_pattern(Out to, size_t factor, size_t modulus) {
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(i * factor % modulus) / 8 - static_cast<float>(modulus) / 16;
}

}  // namespace

// PyTorch 2.15 (torch.nn.GroupNorm), in f32: each is off by some roundings of numbers of about 3.
TEST_CASE("group_norm is PyTorch's, forward and backward") {
  TestHost host;
  LayerTest layer(host, kGroupNorm, Settings(kGroupNorm).set("groups", 2).set("epsilon", 1e-3),
                  {{"x", DType::f32, {2, 2, 2, 4}}});
  fill_pattern(layer.input().f32(), 7, 23);
  fill_pattern(layer.output_gradients[0].f32(), 5, 13);
  layer.parameters[0].fill({1.5f, -0.5f, 2, 0.25f});
  layer.parameters[1].fill({0.5f, -1, 0, 3});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {
      -1.9998852f,   -0.696983635f, 0.986707449f, 3.37915158f,   -0.86357373f, -1.07575417f, 2.4484961f,
      2.72134662f,   0.272737682f,  -1.45452464f, -2.81394315f,  2.90407014f,  1.40904915f,  -1.83329511f,
      -1.35215449f,  3.08679366f,   2.71535778f,  -0.443631649f, 0.142401665f, 3.26700306f,  -1.65466297f,
      -0.848263204f, 1.56641769f,   2.62619591f,  -0.440768301f, -1.25289476f, 2.99043369f,  2.80419779f,
      0.773126304f,  -1.65752625f,  -2.136024f,   2.98219991f};
  const std::vector<float> dx = {-0.497059256f,  0.632746875f,  1.02202153f,   0.116002396f,  0.764469743f,
                                 -0.226838887f,  -0.530921936f, -0.352515519f, -0.928411126f, -0.10162133f,
                                 0.791251302f,   -0.370580792f, 0.333117843f,  0.0235961825f, -0.761692107f,
                                 0.0864352733f,  -0.841306388f, -0.265197039f, 1.60403633f,   0.350677907f,
                                 0.322721869f,   0.369089752f,  0.182402968f,  -0.433988452f, -0.985222757f,
                                 -0.0486654416f, -1.23923039f,  -0.360404938f, 0.862958729f,  0.585621357f,
                                 -0.27947709f,   0.175983742f};
  const std::vector<float> dweight = {0.589487374f, -1.69891644f, -2.11300683f, -1.95855343f};
  const std::vector<float> dbias = {-1.5f, -1.375f, 0.375f, 0.5f};
  CHECK(distance(layer.output().f32(), y) <= 1e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
  CHECK(distance(layer.parameter_gradients[0].f32(), dweight) <= 1e-6);
  CHECK(distance(layer.parameter_gradients[1].f32(), dbias) <= 1e-6);
}

// Two groups of two channels in two places: 1, 3, 5, 7 and 10, 10, 10, 10. The first has mean 4 and variance
// 5, with epsilon 4 a deviation of 3; the second a variance of 0.
TEST_CASE("group_norm by hand") {
  TestHost host;
  LayerTest layer(host, kGroupNorm, Settings(kGroupNorm).set("groups", 2).set("epsilon", 4.0),
                  {{"x", DType::f32, {1, 2, 4}}});
  layer.input().fill({1, 3, 10, 10, 5, 7, 10, 10});
  layer.parameters[0].fill({3, 3, 1, 1});
  layer.parameters[1].fill({0, 10, 20, 30});
  layer.output_gradients[0].fill({1, 0, 0, 4, 0, 0, 0, 0});
  layer.forward();
  layer.backward();
  const std::vector<float> y = {-3, 9, 20, 30, 1, 13, 20, 30};
  // w dy = 3 in one place: 1/3 (3 - 3/4 - z mean(w dy z)), z = -1, -1/3, 1/3, 1 and the mean -3/4. Of the
  // second: 1/2 (4 - 1) and -1/2, since z is 0.
  const std::vector<float> dx = {0.5f, -1 / 3.0f, -0.5f, 1.5f, -1 / 6.0f, 0, -0.5f, -0.5f};
  CHECK(distance(layer.output().f32(), y) <= 1e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
  CHECK(layer.parameter_gradients[0].f32()[0] == doctest::Approx(-1));
  CHECK(layer.parameter_gradients[1].f32()[3] == 4);
}

TEST_CASE("group_norm gradients, of many groups and one, of more channels than are kept at once") {
  struct Case {
    std::vector<int64_t> shape;
    int64_t groups;
    bool affine;
  };
  for (const Case& one : std::vector<Case>{{{3, 4, 5, 6}, 3, true},
                                           {{2, 3, 17}, 1, true},
                                           {{2, 40}, 4, false},
                                           {{5, 51}, 3, true},
                                           {{1, 3, 2, 2100}, 2, true}}) {
    TestHost host;
    host.lanes = 2;
    LayerTest layer(
        host, kGroupNorm,
        Settings(kGroupNorm).set("groups", one.groups).set("affine", one.affine).set("epsilon", 1e-2),
        {{"x", DType::f32, one.shape}});
    CHECK(layer.parameters.size() == (one.affine ? 2 : 0));
    CHECK(layer.gradient_error(60, 4e-3) < 2e-3);
  }
}

// The mean of a group is lost in f32 beyond 2^-24 of itself; the bias takes what is lost.
TEST_CASE("group_norm of values far from 0: mean 1000, deviation 0.1") {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 500, 2}, {1, 1000}}) {
    TestHost host;
    LayerTest layer(host, kGroupNorm, Settings(kGroupNorm).set("groups", 1).set("affine", false),
                    {{"x", DType::f32, shape}});
    layer.input().randomize(3);
    double mean = 0, square = 0;
    for (float& x : layer.input().f32()) {
      x = 1000 + 0.1f * x;
      mean += (x - 1000.0) / 1000, square += (x - 1000.0) * (x - 1000.0) / 1000;
    }
    layer.forward();
    for (size_t i = 0; i < 1000; ++i) {
      const double y = (layer.input().f32()[i] - 1000.0 - mean) / std::sqrt(square - mean * mean + 1e-5);
      CHECK(std::abs(layer.output().f32()[i] - y) < 1e-6 * (1 + std::abs(y)));
    }
  }
}

// The loops for samples of one place beside those for several: two places of the same numbers have the mean
// and the variance of one, and half the gradient each way of what both are given.
TEST_CASE("group_norm of a vector is that of two places alike") {
  TestHost host;
  constexpr size_t kBatch = 4, kChannels = 51;
  const Settings how = Settings(kGroupNorm).set("groups", 3);
  LayerTest one(host, kGroupNorm, how, {{"x", DType::f32, {kBatch, kChannels}}});
  LayerTest two(host, kGroupNorm, how, {{"x", DType::f32, {kBatch, 2, kChannels}}});
  one.input().randomize(1), one.output_gradients[0].randomize(2);
  for (size_t p : {0, 1}) one.parameters[p].randomize(3 + p), two.parameters[p].randomize(3 + p);
  for (size_t i = 0; i < 2 * kBatch * kChannels; ++i) {
    const size_t from = i / (2 * kChannels) * kChannels + i % kChannels;
    two.input().f32()[i] = one.input().f32()[from];
    two.output_gradients[0].f32()[i] = one.output_gradients[0].f32()[from] / 2;
  }
  for (LayerTest* layer : {&one, &two}) layer->forward(), layer->backward();
  for (size_t i = 0; i < 2 * kBatch * kChannels; ++i) {
    const size_t from = i / (2 * kChannels) * kChannels + i % kChannels;
    CHECK(two.output().f32()[i] == doctest::Approx(one.output().f32()[from]).epsilon(1e-5));
    CHECK(std::abs(2 * two.input_gradients[0].f32()[i] - one.input_gradients[0].f32()[from]) < 1e-5);
  }
  for (const size_t p : {0, 1})
    CHECK(distance(two.parameter_gradients[p].f32(), one.parameter_gradients[p].f32()) <= 1e-6);
}

TEST_CASE("group_norm gives the same bits with one lane and with two, in training and in evaluation") {
  const auto run = [](int lanes, bool training) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kGroupNorm, Settings(kGroupNorm).set("groups", 3),
                    {{"x", DType::f32, {64, 9, 9, 6}}});
    layer.training = training;
    layer.output_gradients[0].randomize(8);
    layer.forward();
    std::vector<float> all(layer.output().f32().begin(), layer.output().f32().end());
    if (!training) return all;
    layer.backward();
    for (const TestTensor* t :
         {&layer.input_gradients[0], &layer.parameter_gradients[0], &layer.parameter_gradients[1]})
      all.insert(all.end(), t->f32().begin(), t->f32().end());
    return all;
  };
  const std::vector<float> one = run(1, true), evaluated = run(1, false);
  CHECK(one == run(2, true));
  CHECK(evaluated == run(2, false));
  CHECK(std::equal(evaluated.begin(), evaluated.end(), one.begin()));
}

TEST_CASE("group_norm frozen leaves its parameters") {
  TestHost host;
  LayerTest layer(host, kGroupNorm, Settings(kGroupNorm).set("groups", 2), {{"x", DType::f32, {3, 5, 4}}}, {},
                  true, true);
  CHECK(layer.gradient_error(20, 4e-3) < 2e-3);
}

TEST_CASE("group_norm refuses groups that do not divide the channels, and groups of one number") {
  TestHost host;
  const auto with = [&](int64_t groups, std::vector<int64_t> shape) {
    LayerTest(host, kGroupNorm, Settings(kGroupNorm).set("groups", groups), {{"x", DType::f32, shape}});
  };
  CHECK_THROWS_WITH_AS(with(32, {2, 4, 48}), doctest::Contains("32 groups do not divide the 48 channels"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(with(6, {2, 6}), doctest::Contains("one number a group"), std::runtime_error);
  CHECK_THROWS_WITH_AS(with(1, {6}), doctest::Contains("input is f32[6], wanted f32 [N, ..., C]"),
                       std::runtime_error);
}
