#include <doctest/doctest.h>
#include <plait/bf16.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kBatchNorm = linked("plait.batch_norm");

}  // namespace

TEST_CASE("batch_norm gives every channel mean 0 and variance 1, and keeps running statistics") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {7, 3, 5}}});
  std::fill(layer.parameters[0].f32().begin(), layer.parameters[0].f32().end(), 2.0f);
  std::fill(layer.parameters[1].f32().begin(), layer.parameters[1].f32().end(), 3.0f);
  std::fill(layer.buffers[0].f32().begin(), layer.buffers[0].f32().end(), 0.5f);
  layer.forward();
  for (size_t c = 0; c < 5; ++c) {
    double mean = 0, square = 0, x_mean = 0, x_square = 0;
    for (size_t r = 0; r < 21; ++r) {
      const double y = layer.output().f32()[r * 5 + c], x = layer.input().f32()[r * 5 + c];
      mean += y / 21, square += y * y / 21, x_mean += x / 21, x_square += x * x / 21;
    }
    CHECK(mean == doctest::Approx(3).epsilon(1e-5));
    // 2^2, but for epsilon in the denominator: variance / (variance + 1e-5).
    CHECK(square - mean * mean == doctest::Approx(4).epsilon(2e-4));
    CHECK(layer.buffers[0].f32()[c] == doctest::Approx(0.45 + 0.1 * x_mean).epsilon(1e-6));
    // Unbiased, as PyTorch keeps it.
    const double variance = (x_square - x_mean * x_mean) * 21 / 20;
    CHECK(layer.buffers[1].f32()[c] == doctest::Approx(0.9 + 0.1 * variance).epsilon(1e-6));
  }
}

// By hand from PyTorch's formulas (BatchNorm1d, momentum 0.5, eps 1), with numbers that f32 holds: mean 5,
// variance 12 / 4, so that the deviation is sqrt(3 + 1) = 2; the running variance takes 12 / 3.
TEST_CASE("batch_norm's values, gradients and running statistics, exactly") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1.0).set("momentum", 0.5),
                  {{"x", DType::f32, {4, 1}}});
  layer.input().fill({8, 4, 4, 4});
  layer.parameters[0].fill({2});
  layer.parameters[1].fill({7});
  layer.buffers[0].fill({1});
  layer.buffers[1].fill({1});
  layer.output_gradients[0].fill({4, 0, 0, 0});
  layer.forward();
  layer.backward();
  const auto values = [](const auto& tensor) {
    return std::vector<float>(tensor.f32().begin(), tensor.f32().end());
  };
  using Values = std::vector<float>;
  CHECK(values(layer.output()) == Values{10, 6, 6, 6});
  // weight / deviation (dy - mean dy - x^ mean(dy x^)), with x^ = 3/2 and three times -1/2: 4 - 1 - 9/4, -1 +
  // 3/4.
  CHECK(values(layer.input_gradients[0]) == Values{0.75F, -0.25F, -0.25F, -0.25F});
  CHECK(values(layer.parameter_gradients[0]) == Values{6});
  CHECK(values(layer.parameter_gradients[1]) == Values{4});
  CHECK(values(layer.buffers[0]) == Values{3});
  CHECK(values(layer.buffers[1]) == Values{2.5F});
}

TEST_CASE("batch_norm evaluates with the running statistics and leaves them") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1.0), {{"x", DType::f32, {2, 1}}});
  layer.training = false;
  layer.input().fill({1, 5});
  layer.parameters[0].fill({10});
  layer.parameters[1].fill({7});
  layer.buffers[0].fill({1});
  layer.buffers[1].fill({3});  // plus epsilon: deviation 2
  layer.forward();
  CHECK(layer.output().f32()[0] == 7);
  CHECK(layer.output().f32()[1] == 27);
  CHECK(layer.buffers[0].f32()[0] == 1);
  CHECK(layer.buffers[1].f32()[0] == 3);
}

TEST_CASE("batch_norm of values far from 0: mean 1000, deviation 0.1, in training and in evaluation") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("momentum", 1.0), {{"x", DType::f32, {999, 2}}});
  layer.parameters[0].fill({1, 1});
  layer.parameters[1].fill({0, 0});
  layer.input().randomize(3);
  double sum[2] = {}, squares[2] = {};
  for (size_t i = 0; i < 999 * 2; ++i) {
    float& x = layer.input().f32()[i];
    x = 1000 + 0.1f * x;
    sum[i % 2] += x, squares[i % 2] += (x - 1000.0) * (x - 1000.0);
  }
  for (const bool training : {true, false}) {
    layer.training = training;
    layer.forward();
    for (size_t i = 0; i < 999 * 2; ++i) {
      const double off = sum[i % 2] / 999 - 1000, variance = squares[i % 2] / 999 - off * off;
      const double deviation = std::sqrt(variance * (training ? 1 : 999.0 / 998) + 1e-5);
      // The mean is kept as f32, to 3e-5; that is 3e-4 of the deviation, or 1e-3 for one of 0.03.
      CHECK(std::abs(layer.output().f32()[i] - (layer.input().f32()[i] - 1000 - off) / deviation) < 1e-3);
    }
  }
}

TEST_CASE("batch_norm that is frozen keeps to its running statistics, or adapts where it is told to") {
  for (const bool adapts : {false, true}) {
    TestHost host;
    LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1.0).set("adapt_frozen", adapts),
                    {{"x", DType::f32, {5, 3}}}, {}, true, true);
    layer.buffers[0].fill({1, 2, 3});
    layer.buffers[1].fill({3, 8, 15});
    const std::vector<float> before(layer.buffers[1].f32().begin(), layer.buffers[1].f32().end());
    CHECK(layer.gradient_error(15, 4e-3) < 2e-3);
    const std::vector<float> after(layer.buffers[1].f32().begin(), layer.buffers[1].f32().end());
    CHECK((after == before) == !adapts);
    const float weight = layer.parameters[0].f32()[1], bias = layer.parameters[1].f32()[1];
    const float expected = (layer.input().f32()[1] - 2) / 3 * weight + bias;
    CHECK((std::abs(layer.output().f32()[1] - expected) < 1e-5f) == !adapts);
  }
}

TEST_CASE("batch_norm refuses to train by one value a channel, and evaluates it") {
  TestHost host;
  CHECK_THROWS_WITH_AS(LayerTest(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {1, 3}}}),
                       doctest::Contains("one value a channel has no variance to train by"),
                       std::runtime_error);
  LayerTest frozen(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {1, 3}}}, {}, true, true);
  frozen.forward();
}

TEST_CASE("batch_norm gradients") {
  for (const int lanes : {1, 2}) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{4, 3}, {2, 3, 3, 17}, {5, 2, 1}}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1e-2),
                      {{"x", DType::f32, shape}});
      CHECK(layer.gradient_error(100, 4e-3) < 2e-3);
    }
  }
}

TEST_CASE("batch_norm gives the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {64, 9, 9, 6}}});
    layer.output_gradients[0].randomize(8);
    layer.forward();
    layer.backward();
    std::vector<float> all(layer.output().f32().begin(), layer.output().f32().end());
    all.insert(all.end(), layer.input_gradients[0].f32().begin(), layer.input_gradients[0].f32().end());
    return all;
  };
  CHECK(run(1) == run(2));
}

// oneDNN sums n numbers in f32 one after the other: off by n 2^-24 of their size at most, 2e-5 for 324.
TEST_CASE("batch_norm by oneDNN is what the own loops do, and follows the same statistics") {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{4, 9, 9, 16}, {4, 9, 9, 6}, {7, 33}, {3, 5, 64}, {2, 1}}) {
    for (const bool adapts_frozen : {false, true}) {
      for (const bool input_gradient : {true, false}) {
        std::vector<std::vector<float>> of_own;
        for (const char* implementation : {"own", "onednn"}) {
          TestHost host;
          LayerTest layer(host, kBatchNorm,
                          Settings(kBatchNorm)
                              .set("implementation", std::string(implementation))
                              .set("adapt_frozen", adapts_frozen)
                              .set("epsilon", 1e-2)
                              .set("momentum", 0.3),
                          {{"x", DType::f32, shape}}, {}, input_gradient, adapts_frozen);
          layer.output_gradients[0].randomize(8);
          layer.forward();
          layer.backward();
          std::vector<const TestTensor*> made{&layer.outputs[0], &layer.buffers[0], &layer.buffers[1]};
          if (input_gradient) made.push_back(&layer.input_gradients[0]);
          if (!adapts_frozen)
            made.insert(made.end(), {&layer.parameter_gradients[0], &layer.parameter_gradients[1]});
          for (size_t i = 0; i < made.size(); ++i) {
            const Out values = made[i]->f32();
            if (implementation == std::string("own")) {
              of_own.emplace_back(values.begin(), values.end());
              continue;
            }
            CAPTURE(i);
            for (size_t k = 0; k < values.size(); ++k)
              CHECK(std::abs(values[k] - of_own[i][k]) <= 2e-5 * (1 + std::abs(of_own[i][k])));
          }
        }
      }
    }
  }
}

// Columns 1, 3, 5 and 10, 10, 40: mean 3 and 20, unbiased variance 4 and 300.
TEST_CASE("batch_norm measures a batch's statistics whatever was in its buffers") {
  for (const char* implementation : {"own", "onednn"}) {
    TestHost host;
    LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("implementation", std::string(implementation)),
                    {{"x", DType::f32, {3, 2}}});
    const std::vector<float> x{1, 10, 3, 10, 5, 40};
    std::copy(x.begin(), x.end(), layer.input().f32().begin());
    layer.forward();
    const std::vector<float> trained(layer.output().f32().begin(), layer.output().f32().end());
    for (TestTensor& buffer : layer.buffers)
      std::ranges::fill(buffer.f32(), std::numeric_limits<float>::quiet_NaN());
    layer.measuring = true;
    layer.forward();
    CHECK(std::vector<float>(layer.output().f32().begin(), layer.output().f32().end()) == trained);
    const std::vector<float> wanted[] = {{3, 20}, {4, 300}};
    for (size_t b = 0; b < 2; ++b)
      for (size_t k = 0; k < 2; ++k)
        CHECK(layer.buffers[b].f32()[k] == doctest::Approx(wanted[b][k]).epsilon(1e-6));
  }
}

namespace {

// Samples that reach `first` x `second` far of [N, H, W, C], with `numbers` in them and `past` beside.
void give_extents(TestTensor& x, const std::vector<int32_t>& first, const std::vector<int32_t>& second,
                  const std::vector<float>& numbers, float past = 0) {
  x.lengths = first, x.second_lengths = second;
  const Out all = x.f32();
  std::fill(all.begin(), all.end(), past);
  const auto height = static_cast<size_t>(x.spec().shape[1]), width = static_cast<size_t>(x.spec().shape[2]),
             channels = static_cast<size_t>(x.spec().shape[3]);
  size_t next = 0;
  for (size_t n = 0; n < first.size(); ++n)
    for (size_t h = 0; h < static_cast<size_t>(first[n]); ++h)
      for (size_t w = 0; w < static_cast<size_t>(second[n]); ++w)
        for (size_t c = 0; c < channels; ++c)
          all[((n * height + h) * width + w) * channels + c] = numbers.at(next++);
}

}  // namespace

// The numbers of the exact case above as the places of two images, 1 x 3 and 1 x 1, in room for 2 x 4: what
// is past their extents is in no sum and in no count.
TEST_CASE("batch_norm of images of several sizes: statistics of their own places, exactly") {
  TestHost host;
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm).set("epsilon", 1.0).set("momentum", 0.5),
                  {{"x", DType::f32, {3, 2, 4, 1}, 1, 2}});
  const std::vector<int32_t> first = {0, 1, 1}, second = {4, 3, 1};
  give_extents(layer.input(), first, second, {8, 4, 4, 4});
  give_extents(layer.output_gradients[0], first, second, {4, 0, 0, 0});
  layer.parameters[0].fill({2});
  layer.parameters[1].fill({7});
  layer.buffers[0].fill({1});
  layer.buffers[1].fill({1});
  layer.forward();
  layer.backward();
  const auto values = [](const auto& tensor) {
    return std::vector<float>(tensor.f32().begin(), tensor.f32().end());
  };
  using Values = std::vector<float>;
  const Values none(8);
  Values y = none, dx = none;
  y.insert(y.end(), {10, 6, 6, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0});
  dx.insert(dx.end(), {0.75F, -0.25F, -0.25F, 0, 0, 0, 0, 0, -0.25F, 0, 0, 0, 0, 0, 0, 0});
  CHECK(values(layer.output()) == y);
  CHECK(values(layer.input_gradients[0]) == dx);
  CHECK(values(layer.parameter_gradients[0]) == Values{6});
  CHECK(values(layer.parameter_gradients[1]) == Values{4});
  CHECK(values(layer.buffers[0]) == Values{3});
  CHECK(values(layer.buffers[1]) == Values{2.5F});
}

TEST_CASE("batch_norm of images of several sizes: the bits do not depend on the lanes, nor on what is past") {
  std::vector<std::vector<float>> made;
  for (const int lanes : {1, 2}) {
    for (const float past : {0.0f, 1e6f}) {
      TestHost host;
      host.lanes = lanes;
      LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {64, 9, 9, 6}, 1, 2}});
      std::vector<int32_t> first, second;
      std::vector<float> numbers;
      for (int n = 0; n < 64; ++n) {
        first.push_back(1 + n % 9), second.push_back(1 + n * 7 % 9);
        for (int i = 0; i < first.back() * second.back() * 6; ++i)
          numbers.push_back(static_cast<float>((n * 31 + i * 17) % 101));
      }
      give_extents(layer.output_gradients[0], first, second, numbers, past);
      give_extents(layer.input(), first, second, numbers, past);
      layer.forward();
      layer.backward();
      std::vector<float> all(layer.output().f32().begin(), layer.output().f32().end());
      for (const TestTensor* t : {&layer.input_gradients[0], &layer.buffers[0], &layer.buffers[1]})
        all.insert(all.end(), t->f32().begin(), t->f32().end());
      made.push_back(all);
    }
  }
  for (const auto& other : made) CHECK(other == made[0]);
}

TEST_CASE(
    "batch_norm refuses axes that are no places, oneDNN where places are left out, and one place alone") {
  TestHost host;
  const auto with = [&](const char* implementation, PartSpec x) {
    LayerTest(host, kBatchNorm, Settings(kBatchNorm).set("implementation", std::string(implementation)), {x});
  };
  CHECK_THROWS_WITH_AS(with("onednn", {"x", DType::f32, {2, 4, 4, 3}, 1, 2}),
                       doctest::Contains("axis 1 of the input varies and implementation is \"onednn\""),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(with("auto", {"x", DType::f32, {2, 4}, 1}),
                       doctest::Contains("varies, wanted axes of places"), std::runtime_error);
  LayerTest layer(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, {2, 4, 4, 3}, 1, 2}});
  give_extents(layer.input(), {1, 0}, {1, 3}, {1, 2, 3});
  CHECK_THROWS_WITH_AS(layer.forward(), doctest::Contains("the samples of the batch have 1 values a channel"),
                       std::runtime_error);
}

TEST_CASE("batch_norm by oneDNN: gradients with one lane and two, and evaluation by the running statistics") {
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kBatchNorm,
                    Settings(kBatchNorm).set("implementation", std::string("onednn")).set("epsilon", 1e-2),
                    {{"x", DType::f32, {4, 7, 7, 16}}});
    CHECK(layer.gradient_error(60, 4e-3) < 2e-3);
    layer.training = false;
    layer.forward();
    const float deviation = std::sqrt(layer.buffers[1].f32()[3] + 1e-2f);
    const float y =
        (layer.input().f32()[3] - layer.buffers[0].f32()[3]) / deviation * layer.parameters[0].f32()[3] +
        layer.parameters[1].f32()[3];
    CHECK(layer.output().f32()[3] == doctest::Approx(y).epsilon(1e-5));
  }
}

namespace {

// y = 2 x, of a stranger.
plait_epilogue doubles() {
  plait_epilogue e = epilogue_of("acme.double");
  e.forward = [](const plait_epilogue*, const float* x, float* y, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) y[i] = 2 * x[i];
  };
  e.backward = [](const plait_epilogue*, const float*, const float* dy, float* dx, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) dx[i] = 2 * dy[i];
  };
  return e;
}

// Frozen, gradients of parameters are not written.
std::vector<float> all_of(LayerTest& layer, bool frozen) {
  std::vector<float> all;
  std::vector<const TestTensor*> written = {&layer.outputs[0], &layer.input_gradients[0], &layer.buffers[0],
                                            &layer.buffers[1]};
  if (!frozen) written.insert(written.end(), {&layer.parameter_gradients[0], &layer.parameter_gradients[1]});
  for (const TestTensor* t : written) all.insert(all.end(), t->f32().begin(), t->f32().end());
  return all;
}

}  // namespace

// Beside the layer without one, whose output and gradient the test treats itself.
TEST_CASE("batch_norm absorbs a function to the bit, in rows of any length, frozen too") {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{9, 7, 7, 6}, {300, 21}, {3, 5001}}) {
    for (const bool frozen : {false, true}) {
      for (const plait_epilogue& e : {epilogue_of("relu"), epilogue_of("relu", 0.25), doubles()}) {
        CAPTURE(e.name);
        TestHost host;
        const PartSpec x("x", DType::f32, shape);
        LayerTest fused(host, kBatchNorm, Settings(kBatchNorm), {x}, {e}, true, frozen);
        LayerTest plain(host, kBatchNorm, Settings(kBatchNorm), {x}, {}, true, frozen);
        fused.output_gradients[0].randomize(4);
        plain.forward();
        fused.forward();
        const bool is_relu = e.forward == nullptr;
        const auto slope = [&](float y) {
          return !is_relu ? 2.0f : y > 0 ? 1.0f : static_cast<float>(e.alpha);
        };
        for (size_t i = 0; i < plain.output().f32().size(); ++i) {
          float& y = plain.output().f32()[i];
          plain.output_gradients[0].f32()[i] = fused.output_gradients[0].f32()[i] * slope(y);
          y *= slope(y);
        }
        plain.backward();
        fused.backward();
        CHECK(all_of(fused, frozen) == all_of(plain, frozen));
      }
    }
  }
}

namespace {

// Numbers that bf16 holds, into a tensor of it and one of f32.
void fill_both(const TestTensor& half, const TestTensor& full) {
  const auto bits = half.view().data<uint16_t>();
  for (size_t i = 0; i < bits.size(); ++i) {
    bits[i] = bf16_of_f32(full.f32()[i]);
    full.f32()[i] = f32_of_bf16(bits[i]);
  }
}

// Sums run over `count` numbers below 5, in f32: off by their sizes' sum times count 2^-24 at most.
double bound_of_sums(size_t count) { return 5.0 * static_cast<double>(count * count) * 0x1p-24; }

// To half a unit of bf16, and what statistics are off: bound_of_sums / count.
void check_rounded(const TestTensor& half, const TestTensor& full, size_t count) {
  const auto bits = half.view().data<uint16_t>();
  const double off = 4 * bound_of_sums(count) / static_cast<double>(count);
  size_t wrong = 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    const double got = f32_of_bf16(bits[i]), wanted = full.f32()[i];
    wrong += std::abs(got - wanted) <= 0x1p-8 * std::abs(wanted) + off ? 0 : 1;
  }
  CHECK(wrong == 0);
}

void check_near(const TestTensor& half, const TestTensor& full, size_t count) {
  for (size_t i = 0; i < full.f32().size(); ++i)
    CHECK(std::abs(static_cast<double>(half.f32()[i]) - full.f32()[i]) <= bound_of_sums(count));
}

}  // namespace

TEST_CASE("batch_norm in bf16 is that in f32 of the same numbers, rounded once, with what it absorbs") {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{9, 7, 7, 6}, {300, 21}, {3, 5001}}) {
    for (const bool frozen : {false, true}) {
      for (const std::vector<plait_epilogue>& absorbed :
           {std::vector<plait_epilogue>{}, {epilogue_of("relu", 0.25)}, {epilogue_of("tanh")}, {doubles()}}) {
        TestHost host;
        LayerTest half(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::bf16, shape}}, absorbed, true,
                       frozen);
        LayerTest full(host, kBatchNorm, Settings(kBatchNorm), {{"x", DType::f32, shape}}, absorbed, true,
                       frozen);
        full.output_gradients[0].randomize(4);
        fill_both(half.inputs[0], full.inputs[0]);
        fill_both(half.output_gradients[0], full.output_gradients[0]);
        for (LayerTest* layer : {&half, &full}) layer->forward(), layer->backward();
        const size_t count = full.output().f32().size() / static_cast<size_t>(shape.back());
        check_rounded(half.outputs[0], full.outputs[0], count);
        check_rounded(half.input_gradients[0], full.input_gradients[0], count);
        for (size_t i = 0; i < 2; ++i) {
          check_near(half.buffers[i], full.buffers[i], count);
          if (!frozen) check_near(half.parameter_gradients[i], full.parameter_gradients[i], count);
        }
      }
    }
  }
}
