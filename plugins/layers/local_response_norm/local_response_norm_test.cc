#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kNorm = linked("plait.local_response_norm");

// (i factor mod modulus) / 8 - modulus / 16: numbers that f32 holds, as PyTorch was given them.
void fill_pattern(Out to, size_t factor, size_t modulus) {
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(i * factor % modulus) / 8 - static_cast<float>(modulus) / 16;
}

// The definition, in f64.
double reference(const LayerTest& layer, size_t at, size_t channels, int64_t size, double alpha, double beta,
                 double k) {
  const Out x = layer.inputs[0].f32();
  const size_t row = at / channels * channels;
  double sum = 0;
  for (int64_t j = -(size / 2); j <= size / 2; ++j) {
    const int64_t c = static_cast<int64_t>(at - row) + j;
    if (c < 0 || c >= static_cast<int64_t>(channels)) continue;
    const double one = x[row + static_cast<size_t>(c)];
    sum += one * one;
  }
  return x[at] / std::pow(k + alpha / static_cast<double>(size) * sum, beta);
}

}  // namespace

// PyTorch 2.15 (torch.nn.LocalResponseNorm), in f32: each is off by some roundings.
TEST_CASE("local_response_norm is PyTorch's, forward and backward") {
  {
    TestHost host;
    LayerTest layer(host, kNorm, Settings(kNorm).set("alpha", 0.5), {{"x", DType::f32, {1, 1, 2, 7}}});
    fill_pattern(layer.input().f32(), 5, 17);
    fill_pattern(layer.output_gradients[0].f32(), 3, 13);
    layer.forward();
    layer.backward();
    const std::vector<float> y = {-0.601446629f,  -0.242063776f, 0.102101959f,  0.459803611f,  -0.387365967f,
                                  -0.0352583565f, 0.324851722f,  -0.535991192f, -0.173271745f, 0.171422064f,
                                  0.529961348f,   -0.31385982f,  0.0349911042f, 0.397040993f};
    const std::vector<float> dx = {-0.416245878f, -0.219662383f,  -0.0401489213f, 0.177111328f, 0.379161209f,
                                   -0.318044513f, -0.0961353183f, 0.086806789f,   0.301463455f, -0.366280437f,
                                   -0.151808992f, 0.0106219416f,  0.247136191f,   -0.45302996f};
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
    CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
  }
  {
    TestHost host;
    LayerTest layer(host, kNorm,
                    Settings(kNorm).set("size", 3).set("alpha", 0.5).set("beta", 0.5).set("k", 1.0),
                    {{"x", DType::f32, {1, 1, 2, 7}}});
    fill_pattern(layer.input().f32(), 5, 17);
    fill_pattern(layer.output_gradients[0].f32(), 3, 13);
    layer.forward();
    layer.backward();
    const std::vector<float> y = {-0.961921811f,  -0.395137727f, 0.17501317f,   0.743362963f,  -0.630375087f,
                                  -0.0587389022f, 0.548061013f,  -0.869413018f, -0.287797093f, 0.287797093f,
                                  0.850344241f,   -0.513517737f, 0.0587389022f, 0.66172266f};
    const std::vector<float> dx = {-0.597176671f, -0.338840067f, -0.0685231909f, 0.310207367f, 0.61425072f,
                                   -0.533157647f, -0.176277325f, 0.130523235f,   0.494841248f, -0.605875492f,
                                   -0.21888794f,  0.036182113f,  0.416402936f,   -0.727564156f};
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
    CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
  }
}

// alpha / size 1, k 2: s = 2 + 1 + 1 = 4 at the ends, 2 + 1 + 1 + 1 = 5 between; beta 1/2.
TEST_CASE("local_response_norm by hand") {
  TestHost host;
  LayerTest layer(host, kNorm, Settings(kNorm).set("size", 3).set("alpha", 3.0).set("beta", 0.5),
                  {{"x", DType::f32, {1, 3}}});
  layer.input().fill({1, 1, -1});
  layer.output_gradients[0].fill({8, 0, 0});
  layer.forward();
  layer.backward();
  CHECK(layer.output().f32()[0] == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(layer.output().f32()[1] == doctest::Approx(1 / std::sqrt(5.0)).epsilon(1e-6));
  CHECK(layer.output().f32()[2] == doctest::Approx(-0.5).epsilon(1e-6));
  // 8 / 2 - 2 1/2 1 (8 1 4^(-3/2)), and the same of the neighbour, whom the third has not.
  CHECK(layer.input_gradients[0].f32()[0] == doctest::Approx(3).epsilon(1e-6));
  CHECK(layer.input_gradients[0].f32()[1] == doctest::Approx(-1).epsilon(1e-6));
  CHECK(layer.input_gradients[0].f32()[2] == 0);
}

// Channels fewer than the window, as many as a block has and more, and powers of all kinds.
TEST_CASE("local_response_norm is its definition, its own loops and oneDNN's") {
  struct Case {
    int64_t channels, size;
    double alpha, beta, k;
  };
  for (const Case& one : std::vector<Case>{{3, 5, 1, 0.75, 1},
                                           {64, 5, 5e-4, 0.75, 2},
                                           {256, 3, 2, 0.75, 0.5},
                                           {300, 127, 3, 0.75, 1},
                                           {1, 1, 1, 0.75, 1},
                                           {300, 7, 1, 1, 1},
                                           {20, 5, 1, 0, 1},
                                           {37, 9, 10, 2.5, 0.1}}) {
    for (const char* implementation : {"own", "onednn"}) {
      if ((one.beta != 0.75 || one.size == 1) && implementation[1] == 'n') continue;
      CAPTURE(one.channels);
      CAPTURE(one.size);
      CAPTURE(implementation);
      TestHost host;
      LayerTest layer(host, kNorm,
                      Settings(kNorm)
                          .set("size", one.size)
                          .set("alpha", one.alpha)
                          .set("beta", one.beta)
                          .set("k", one.k)
                          .set("implementation", std::string(implementation)),
                      {{"x", DType::f32, {2, 3, 2, one.channels}}});
      CHECK(layer.gradient_error(60, 4e-3) < 1e-3);
      double worst = 0;
      for (size_t i = 0; i < layer.output().f32().size(); ++i) {
        const double y =
            reference(layer, i, static_cast<size_t>(one.channels), one.size, one.alpha, one.beta, one.k);
        worst = std::max(worst, std::abs(layer.output().f32()[i] - y) / (1 + std::abs(y)));
      }
      CHECK(worst < 2e-6);  // a sum of up to 127 squares, and a power of it
    }
  }
}

TEST_CASE("local_response_norm's own loops give the same bits with one lane and with two") {
  const auto run = [](int lanes) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, kNorm, Settings(kNorm).set("implementation", std::string("own")),
                    {{"x", DType::f32, {8, 9, 9, 40}}});
    layer.output_gradients[0].randomize(8);
    layer.forward();
    layer.backward();
    std::vector<float> all(layer.output().f32().begin(), layer.output().f32().end());
    all.insert(all.end(), layer.input_gradients[0].f32().begin(), layer.input_gradients[0].f32().end());
    return all;
  };
  CHECK(run(1) == run(2));
}

TEST_CASE("local_response_norm of numbers whose squares f32 does not hold, and of NaN") {
  TestHost host;
  LayerTest layer(host, kNorm, Settings(kNorm).set("size", 1), {{"x", DType::f32, {1, 3}}});
  layer.input().fill({1e30f, NAN, 1});
  layer.forward();
  CHECK(layer.output().f32()[0] == 0);  // 1e30 / 1e43 and less
  CHECK(std::isnan(layer.output().f32()[1]));
  CHECK(layer.output().f32()[2] == doctest::Approx(std::pow(2 + 5e-4, -0.75)).epsilon(1e-6));
}

TEST_CASE("local_response_norm refuses even sizes, oneDNN for other powers, and a vector of samples") {
  TestHost host;
  const auto with = [&](Settings settings, std::vector<int64_t> shape) {
    LayerTest(host, kNorm, std::move(settings), {{"x", DType::f32, shape}});
  };
  CHECK_THROWS_WITH_AS(with(Settings(kNorm).set("size", 4), {2, 3}),
                       doctest::Contains("size is 4, wanted an odd number"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      with(Settings(kNorm).set("beta", 0.5).set("implementation", std::string("onednn")), {2, 3}),
      doctest::Contains("wanted beta 0.75 and a size of 3 or more"), std::runtime_error);
  CHECK_THROWS_WITH_AS(
      with(Settings(kNorm).set("size", 1).set("implementation", std::string("onednn")), {2, 3}),
      doctest::Contains("beta 0.75 and size 1, wanted beta 0.75 and a size of 3 or more"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(with(Settings(kNorm), {3}),
                       doctest::Contains("input is f32[3], wanted f32 [N, ..., C]"), std::runtime_error);
}
