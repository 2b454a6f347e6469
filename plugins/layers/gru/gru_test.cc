#include <doctest/doctest.h>
#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_recurrent.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kGru = linked("plait.gru");

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

TEST_CASE("gru of one unit, worked by hand") {
  TestHost host;
  LayerTest layer = make_recurrent(host, kGru, {{1, 2, 1}, 1});
  layer.input().fill({1, -0.5f});
  for (size_t p = 0; p < 4; ++p) layer.parameters[p].fill({1, -0.5f, 0.75f});  // r, z, n
  layer.forward();
  const double n1 = std::tanh(1.5 + sigmoid(3) * 0.75), h1 = (1 - sigmoid(-1.5)) * n1;
  const double r2 = sigmoid(-0.5 + 1 + h1 + 1), z2 = sigmoid(0.25 - 0.5 - 0.5 * h1 - 0.5);
  const double n2 = std::tanh(-0.375 + 0.75 + r2 * (0.75 * h1 + 0.75)), h2 = (1 - z2) * n2 + z2 * h1;
  CHECK(layer.output().f32()[0] == doctest::Approx(h1).epsilon(1e-6));
  CHECK(layer.output().f32()[1] == doctest::Approx(h2).epsilon(1e-6));
}

// PyTorch 2.15. A state is a function of three steps, each of sums of 5 terms and functions exact to some
// units; gradients are sums over two samples of three steps.
TEST_CASE("gru is PyTorch's, and its gradients") {
  TestHost host;
  LayerTest layer = make_recurrent(host, kGru, {{2, 3, 2}, 2});
  count_up(layer);
  for (int i = 0; i < 12; ++i) {
    layer.input().f32()[static_cast<size_t>(i)] = static_cast<float>((i * 5) % 9 - 4) / 4;
    layer.output_gradients[0].f32()[static_cast<size_t>(i)] = static_cast<float>((i * 4) % 7 - 3) / 2;
  }
  layer.forward();
  layer.backward();
  const std::vector<float> y = {0.464716643f, -0.186379597f,  0.714210689f, -0.523450375f,
                                0.823845387f, -0.733678758f,  0.481250793f, -0.503278732f,
                                0.375469565f, -0.0367133021f, 0.293596268f, 0.0643303394f};
  const std::vector<float> dx = {0.217597336f,  -0.858086944f, 0.126872987f,  -0.61613065f,
                                 0.0572855622f, -0.294854909f, -0.175173461f, 0.734829664f,
                                 -0.167830169f, 0.786696315f,  -0.196545616f, 0.399077177f};
  const std::vector<float> dwi = {0.0569914952f, -0.104516506f,  0.0879448578f,  -0.180197567f,
                                  -0.563341677f, -0.0956114084f, -0.0880818889f, -0.325960726f,
                                  0.687504113f,  -0.980567694f,  -1.35262978f,   0.998866677f};
  const std::vector<float> dwh = {0.0224714354f, -0.02179184f,   0.0256370604f, -0.0361496247f,
                                  0.1181968f,    -0.0660448447f, 0.203736365f,  -0.156590521f,
                                  0.0501408875f, -0.0546331145f, 0.179266885f,  -0.0159361959f};
  const std::vector<float> dbi = {0.0473746732f, 0.074414134f, 0.568562627f,
                                  0.163545445f,  0.528176486f, -0.173316777f};
  const std::vector<float> dbh = {0.0473746732f, 0.0744141415f, 0.568562627f,
                                  0.163545445f,  0.0413757339f, 0.0585694164f};
  CHECK(distance(layer.output().f32(), y) <= 2.4e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[0].f32(), dwi) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[1].f32(), dwh) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[2].f32(), dbi) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[3].f32(), dbh) <= 5e-6);
}

TEST_CASE("gru gradients") { check_recurrent_gradients(kGru); }
TEST_CASE("gru does not look past a sample's length") { check_recurrent_lengths(kGru); }
TEST_CASE("gru from either end") { check_recurrent_order(kGru); }
TEST_CASE("gru gives the same bits again") { check_recurrent_bits(kGru); }
TEST_CASE("gru learns what was first") { check_recurrent_learns(kGru); }
TEST_CASE("gru says what does not fit") { check_recurrent_refusals(kGru); }
