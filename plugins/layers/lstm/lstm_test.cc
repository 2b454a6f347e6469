#include <doctest/doctest.h>
#include <plait/sdk/testing_activation.hpp>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_recurrent.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kLstm = linked("plait.lstm");

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

TEST_CASE("lstm of one unit, worked by hand") {
  TestHost host;
  LayerTest layer = make_recurrent(host, kLstm, {{1, 2, 1}, 1});
  layer.input().fill({0.5f, -1});
  layer.parameters[0].fill({1, 2, 3, -1});  // i, f, g, o
  layer.parameters[1].fill({0.5f, -0.5f, 1, 2});
  layer.parameters[2].fill({0.25f, 0.5f, -0.25f, 0});
  layer.parameters[3].fill({0.25f, 0, 0.25f, 1});
  layer.forward();
  const double c1 = sigmoid(0.5 + 0.5) * std::tanh(1.5), h1 = sigmoid(-0.5 + 1) * std::tanh(c1);
  const double c2 = sigmoid(-2 - 0.5 * h1 + 0.5) * c1 + sigmoid(-1 + 0.5 * h1 + 0.5) * std::tanh(-3 + h1);
  const double h2 = sigmoid(1 + 2 * h1 + 1) * std::tanh(c2);
  CHECK(layer.output().f32()[0] == doctest::Approx(h1).epsilon(1e-6));
  CHECK(layer.output().f32()[1] == doctest::Approx(h2).epsilon(1e-6));
}

// PyTorch 2.15. A state is a function of three steps, each of sums of 5 terms and functions exact to some
// units; gradients are sums over two samples of three steps.
TEST_CASE("lstm is PyTorch's, and its gradients") {
  TestHost host;
  LayerTest layer = make_recurrent(host, kLstm, {{2, 3, 2}, 2});
  count_up(layer);
  for (int i = 0; i < 12; ++i) {
    layer.input().f32()[static_cast<size_t>(i)] = static_cast<float>((i * 5) % 9 - 4) / 4;
    layer.output_gradients[0].f32()[static_cast<size_t>(i)] = static_cast<float>((i * 4) % 7 - 3) / 2;
  }
  layer.forward();
  layer.backward();
  const std::vector<float> y = {0.0919716656f, 0.0680011734f, 0.139578849f,   0.0546401218f,
                                0.156448066f,  0.0103627574f, 0.0724381953f,  -0.0631331056f,
                                0.0141780674f, 0.0607521087f, -0.0466348119f, 0.107123174f};
  const std::vector<float> dx = {0.120128915f,   -0.147177964f, 0.0325886644f,  -0.191500574f,
                                 -0.0170370676f, -0.245970041f, -0.0455778651f, 0.428374469f,
                                 -0.021068994f,  0.0158233475f, -0.0534110926f, 0.0477835722f};
  const std::vector<float> dwi = {0.0807488039f, 0.0693912804f,  -0.0763657838f, 0.191185132f,
                                  0.0247983299f, -0.0485755429f, -0.0272863898f, 0.014344695f,
                                  0.36053881f,   -0.264882684f,  -0.435425133f,  0.0450879671f,
                                  0.192704916f,  -0.098920323f,  -0.0294803064f, 0.0593413673f};
  const std::vector<float> dwh = {-0.0088762017f,  -0.0021544206f,  -0.00489410106f, 0.00464055361f,
                                  -0.00218282756f, -0.00370599818f, 0.00568124466f,  0.000959792465f,
                                  -0.00471113669f, -0.0128476899f,  0.0770763606f,   0.0425064266f,
                                  -0.016741313f,   -0.0115446867f,  0.000737821101f, 0.00150893338f};
  const std::vector<float> dbi = {-0.155718863f, 0.0085064806f, -0.00909943134f, 0.0486916378f,
                                  0.0348795354f, 0.235394716f,  -0.27586475f,    0.0208748523f};
  CHECK(distance(layer.output().f32(), y) <= 2.4e-6);
  CHECK(distance(layer.input_gradients[0].f32(), dx) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[0].f32(), dwi) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[1].f32(), dwh) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[2].f32(), dbi) <= 5e-6);
  CHECK(distance(layer.parameter_gradients[3].f32(), dbi) <= 5e-6);
}

TEST_CASE("lstm gradients") { check_recurrent_gradients(kLstm); }
TEST_CASE("lstm does not look past a sample's length") { check_recurrent_lengths(kLstm); }
TEST_CASE("lstm from either end") { check_recurrent_order(kLstm); }
TEST_CASE("lstm gives the same bits again") { check_recurrent_bits(kLstm); }
TEST_CASE("lstm learns what was first") { check_recurrent_learns(kLstm); }
TEST_CASE("lstm says what does not fit") { check_recurrent_refusals(kLstm); }
