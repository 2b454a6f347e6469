#include <doctest/doctest.h>

#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kLayerNorm = linked("plait.layer_norm");

// (i factor mod modulus) / 8 - modulus / 16: numbers that f32 holds, as PyTorch was given them.
void fill_pattern(Out to, size_t factor, size_t modulus) {
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(i * factor % modulus) / 8 - static_cast<float>(modulus) / 16;
}

}  // namespace

// PyTorch 2.15 (torch.nn.LayerNorm), in f32: each is off by some roundings of numbers of about 1.
TEST_CASE("layer_norm is PyTorch's, over the channels of a place and over all of a sample") {
  {
    TestHost host;
    LayerTest layer(host, kLayerNorm, Settings(kLayerNorm).set("axes", 1).set("epsilon", 1e-3),
                    {{"x", DType::f32, {2, 3, 4}}});
    fill_pattern(layer.input().f32(), 7, 23);
    fill_pattern(layer.output_gradients[0].f32(), 5, 13);
    fill_pattern(layer.parameters[0].f32(), 3, 11);
    fill_pattern(layer.parameters[1].f32(), 2, 7);
    layer.forward();
    layer.backward();
    const std::vector<float> y = {
        0.484396577f,  -0.0478187054f, 0.0904362574f,  0.899161458f,  0.0804520249f,  -0.299020767f,
        0.154194862f,  -0.155887246f,  -0.557976902f,  -0.625597835f, -0.0251195729f, 0.23583287f,
        -0.557976902f, -0.625597835f,  -0.0251195729f, 0.23583287f,   -1.17353714f,   0.270974278f,
        0.0401958451f, 0.642105818f,   0.0804520249f,  -0.299020767f, 0.154194862f,   -0.155887246f};
    const std::vector<float> dx = {
        0.0945762843f,  -0.166688994f, 0.0509530753f, 0.0211596936f, -0.0623280853f, -0.203169808f,
        0.121897466f,   0.143600419f,  0.539082468f,  -0.136772051f, -0.0220384151f, -0.380271971f,
        -0.306925118f,  0.0937808901f, 0.0321722329f, 0.18097201f,   0.293804139f,   0.0394240096f,
        0.00449918956f, -0.337727308f, -0.356760949f, 0.199252665f,  -0.0675091818f, 0.225017548f};
    const std::vector<float> dweight = {0.117163062f, -1.23456001f, -1.12567842f, -1.92648625f};
    const std::vector<float> dbias = {-1.5f, -1, 1.125f, 0};
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
    CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
    CHECK(distance(layer.parameter_gradients[0].f32(), dweight) <= 1e-6);
    CHECK(distance(layer.parameter_gradients[1].f32(), dbias) <= 1e-6);
  }
  {
    TestHost host;
    LayerTest layer(host, kLayerNorm, Settings(kLayerNorm).set("axes", 0).set("epsilon", 1e-3),
                    {{"x", DType::f32, {2, 3, 4}}});
    fill_pattern(layer.input().f32(), 7, 23);
    fill_pattern(layer.output_gradients[0].f32(), 5, 13);
    fill_pattern(layer.parameters[0].f32(), 3, 11);
    fill_pattern(layer.parameters[1].f32(), 2, 7);
    layer.forward();
    layer.backward();
    const std::vector<float> y = {0.562652647f,  -0.059275303f, 0.102133088f,  1.04687786f,   0.0861622542f,
                                  -0.125446662f, 0.446280748f,  -1.00401998f,  -0.203819498f, -0.00510938466f,
                                  -0.095487684f, -0.132985413f, -0.801529646f, -0.668861508f, 0.0143638477f,
                                  0.417797834f,  -1.01649117f,  0.136061639f,  0.178474471f,  0.104031667f,
                                  0.402167827f,  0.0835595652f, 0.523095667f,  0.812682509f};
    const std::vector<float> dx = {0.293429315f,  -0.116260156f, 0.033576332f,   -0.105675578f, -0.281633407f,
                                   -0.20640038f,  0.0646667331f, -0.0833147913f, 0.25303033f,   0.085802123f,
                                   -0.13678287f,  0.199562311f,  -0.226328075f,  0.0796330869f, 0.0842844695f,
                                   0.182658494f,  0.190777242f,  0.123224378f,   0.149394184f,  -0.338891089f,
                                   0.0177558381f, 0.0890532881f, -0.119440645f,  -0.232121125f};
    const std::vector<float> dweight = {1.28127944f,   -1.17460501f, 0.421840072f,  -0.838902235f,
                                        -0.748286963f, 0.16461724f,  -0.464394867f, -0.615584254f,
                                        -0.446836233f, 0.164045855f, -0.776497006f, -0.806367338f};
    const std::vector<float> dbias = {-0.625f, -1, 0.25f,   -0.125f, -0.5f, 0.75f,
                                      0.375f,  0,  -0.375f, -0.75f,  0.5f,  0.125f};
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
    CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
    CHECK(distance(layer.parameter_gradients[0].f32(), dweight) <= 1e-6);
    CHECK(distance(layer.parameter_gradients[1].f32(), dbias) <= 1e-6);
  }
}

// 1, 3, 5, 7: mean 4, variance 5, with epsilon 4 a deviation of 3.
TEST_CASE("layer_norm by hand, with weights and without") {
  for (const bool affine : {false, true}) {
    TestHost host;
    LayerTest layer(host, kLayerNorm, Settings(kLayerNorm).set("epsilon", 4.0).set("affine", affine),
                    {{"x", DType::f32, {1, 4}}});
    REQUIRE(layer.parameters.size() == (affine ? 2 : 0));
    layer.input().fill({1, 3, 5, 7});
    if (affine) layer.parameters[0].fill({1, 1, 1, 6}), layer.parameters[1].fill({0, 0, 0, 1});
    layer.output_gradients[0].fill({3, 0, 0, 0});
    layer.forward();
    layer.backward();
    const std::vector<float> y = {-1, -1 / 3.0f, 1 / 3.0f, affine ? 7.0f : 1.0f};
    // 1/3 (dy - 3/4 - z mean(dy z)) with the mean -3/4
    const std::vector<float> dx = {0.5f, -1 / 3.0f, -1 / 6.0f, 0};
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
    CHECK(distance(layer.input_gradients[0].f32(), dx) <= 1e-6);
    if (affine) CHECK(layer.parameter_gradients[0].f32()[0] == doctest::Approx(-3));
    layer.training = false;
    layer.forward();
    CHECK(distance(layer.output().f32(), y) <= 1e-6);
  }
}

TEST_CASE("layer_norm gradients, with one lane and two, frozen, and where nobody needs the input's") {
  for (const int lanes : {1, 2}) {
    for (const std::vector<int64_t>& shape :
         {std::vector<int64_t>{4, 3}, {2, 3, 3, 17}, {5, 64}, {300, 33}, {2, 2000}}) {
      for (const bool frozen : {false, true}) {
        TestHost host;
        host.lanes = lanes;
        LayerTest layer(host, kLayerNorm, Settings(kLayerNorm).set("epsilon", 1e-2),
                        {{"x", DType::f32, shape}}, {}, true, frozen);
        CHECK(layer.gradient_error(60, 4e-3) < 2e-3);
      }
      TestHost host;
      host.lanes = lanes;
      LayerTest first(host, kLayerNorm, Settings(kLayerNorm).set("epsilon", 1e-2), {{"x", DType::f32, shape}},
                      {}, false);
      CHECK(first.gradient_error(60, 4e-3) < 2e-3);
    }
  }
}

TEST_CASE("layer_norm has parameters of the extents of the axes that it normalizes together") {
  TestHost host;
  LayerTest all(host, kLayerNorm, Settings(kLayerNorm), {{"x", DType::f32, {2, 3, 4, 5}}});
  CHECK(all.parameters[0].spec().shape == std::vector<int64_t>{3, 4, 5});
  LayerTest two(host, kLayerNorm, Settings(kLayerNorm).set("axes", 2), {{"x", DType::f32, {2, 3, 4, 5}}});
  CHECK(two.parameters[1].spec().shape == std::vector<int64_t>{4, 5});
}

TEST_CASE("layer_norm refuses axes that there are not, that vary, and rows of one number") {
  TestHost host;
  const auto with = [&](int64_t axes, PartSpec x) {
    LayerTest(host, kLayerNorm, Settings(kLayerNorm).set("axes", axes), {x});
  };
  CHECK_THROWS_WITH_AS(with(3, {"x", DType::f32, {2, 4, 5}}),
                       doctest::Contains("axes is 3 and the input f32[2, 4, 5] has 2 after the batch's"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(
      with(0, {"x", DType::f32, {2, 4, 5}, 1}),
      doctest::Contains("axis 1 of input f32[2, 4, 5] varies, wanted fixed extents of what is "
                        "normalized together (axes: 1"),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(with(1, {"x", DType::f32, {2, 4, 1}}), doctest::Contains("one number is its own mean"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(with(0, {"x", DType::f32, {4}}),
                       doctest::Contains("input is f32[4], wanted f32 [N, ...]"), std::runtime_error);
  with(1, {"x", DType::f32, {2, 4, 5}, 1});  // places may vary
}
