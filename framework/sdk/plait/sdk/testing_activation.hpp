// An elementwise layer beside the function that it should be. See testing.hpp.
//
//   const Entry kTanh = linked("acme.tanh");
//   CHECK(activation_error(kTanh, Settings(kTanh), [](double x) { return std::tanh(x); }) <= 1e-6);
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "testing_layer.hpp"

namespace plait::sdk::testing {

// What the layer makes of x [N], with `lanes` threads.
inline std::vector<float> outputs_of(const Entry& entry, const Settings& settings,
                                     const std::vector<float>& x, int lanes = 1) {
  TestHost host;
  host.lanes = lanes;
  LayerTest layer(host, entry, settings, {{"x", DType::f32, {static_cast<int64_t>(x.size())}}});
  std::ranges::copy(x, layer.input().f32().begin());
  layer.forward();
  const auto y = layer.output().f32();
  return {y.begin(), y.end()};
}

// dy/dx at x [N], as backward has it.
inline std::vector<float> slopes_of(const Entry& entry, const Settings& settings,
                                    const std::vector<float>& x) {
  TestHost host;
  LayerTest layer(host, entry, settings, {{"x", DType::f32, {static_cast<int64_t>(x.size())}}});
  std::ranges::copy(x, layer.input().f32().begin());
  std::ranges::fill(layer.output_gradients[0].f32(), 1.0f);
  layer.forward();
  layer.backward();
  const auto dx = layer.input_gradients[0].f32();
  return {dx.begin(), dx.end()};
}

// The largest |got - wanted| / (1 + |wanted|); infinite where one is NaN or their numbers differ.
inline double distance(std::span<const float> got, std::span<const float> wanted) {
  if (got.size() != wanted.size()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double off = std::abs(double{got[i]} - wanted[i]) / (1 + std::abs(double{wanted[i]}));
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  return worst;
}

// The largest |y - f(x)| / |f(x)| for x from -20 to 20 in hundredths, with one lane and with two; where f(x)
// is 0, |y|.
template <class Function>
double activation_error(const Entry& entry, const Settings& settings, const Function& f) {
  constexpr int kSteps = 2000;
  std::vector<float> x;
  for (int i = -kSteps; i <= kSteps; ++i) x.push_back(static_cast<float>(i) / 100);
  double worst = 0;
  for (const int lanes : {1, 2}) {
    const std::vector<float> y = outputs_of(entry, settings, x, lanes);
    for (size_t i = 0; i < x.size(); ++i) {
      const double wanted = f(double{x[i]}), off = std::abs(double{y[i]} - wanted);
      worst = std::max(worst, wanted == 0 ? off : off / std::abs(wanted));
    }
  }
  return worst;
}

// LayerTest::gradient_error with one lane and with two, at values that lie no nearer to 0 than the step of
// the differences, so that a kink at 0 is not met.
inline double activation_gradient_error(const Entry& entry, const Settings& settings) {
  constexpr size_t kValues = 38;
  double worst = 0;
  for (const int lanes : {1, 2}) {
    TestHost host;
    host.lanes = lanes;
    LayerTest layer(host, entry, settings, {{"x", DType::f32, {2, static_cast<int64_t>(kValues / 2)}}});
    for (size_t i = 0; i < kValues; ++i) layer.input().f32()[i] = (static_cast<float>(i) - 18.5f) / 10;
    worst = std::max(worst, layer.gradient_error(kValues));
  }
  return worst;
}

// Of a layer with the field `implementation`: the largest distance of what its own loops make from what
// oneDNN makes, outputs and slopes, for x from -20 to 20 in hundredths, with one lane and with two.
inline double twin_distance(const Entry& entry, const Settings& settings) {
  constexpr int kSteps = 2000;
  std::vector<float> x;
  for (int i = -kSteps; i <= kSteps; ++i) x.push_back(static_cast<float>(i) / 100);
  const Settings own = Settings(settings).set("implementation", std::string("own"));
  const Settings onednn = Settings(settings).set("implementation", std::string("onednn"));
  double worst = distance(slopes_of(entry, own, x), slopes_of(entry, onednn, x));
  for (const int lanes : {1, 2}) {
    const std::vector<float> y = outputs_of(entry, own, x, lanes);
    worst = std::max(worst, distance(y, outputs_of(entry, onednn, x, lanes)));
  }
  return worst;
}

// Whether oneDNN makes NaN of NaN, in every place of a vector and of what is left over.
inline bool twin_passes_nan(const Entry& entry, const Settings& settings) {
  const std::vector<float> x(19, NAN);
  const auto y = outputs_of(entry, Settings(settings).set("implementation", std::string("onednn")), x);
  return std::ranges::all_of(y, [](float value) { return std::isnan(value); });
}

}  // namespace plait::sdk::testing
