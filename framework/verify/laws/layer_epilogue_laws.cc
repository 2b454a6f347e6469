// Laws of layers that absorb functions, and of those that offer themselves to be absorbed.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 24;

double apply(const Epilogue& e, double x) {
  if (e.functions) {
    const plait_epilogue c = e.c();
    const auto from = static_cast<float>(x);
    float y = 0;
    c.forward(&c, &from, &y, 1);
    return y;
  }
  if (e.name == "relu") return x > 0 ? x : e.alpha * x;
  if (e.name == "tanh") return std::tanh(x);
  if (e.name == "sigmoid") return 1 / (1 + std::exp(-x));
  return e.alpha * x + e.beta;
}

// Derivative from the function's value.
double slope(const Epilogue& e, double y) {
  if (e.functions) {
    const plait_epilogue c = e.c();
    const auto from = static_cast<float>(y);
    float one = 1;
    c.backward(&c, &from, &one, &one, 1);
    return one;
  }
  if (e.name == "relu") return y > 0 ? 1 : e.alpha;
  if (e.name == "tanh") return 1 - y * y;
  if (e.name == "sigmoid") return y * (1 - y);
  return e.alpha;
}

// Library functions for tanh and exp are off by some units of the last place; so is a sum in another order.
bool near(double a, double b) { return std::abs(a - b) <= 1e-4 * (1 + std::max(std::abs(a), std::abs(b))); }

std::vector<float> values_of(const Guarded& block) {
  const auto* first = block.as<float>();
  return {first, first + block.bytes() / sizeof(float)};
}

Status check_epilogue(Trial& trial, const LayerCase& made, const Epilogue& e) {
  const std::string what = "epilogue " + e.name;
  BenchOptions options;
  options.epilogue = e;
  PLAIT_ASSIGN(auto plain_bench, LayerBench::create(trial, made));
  PLAIT_ASSIGN(auto fused_bench, LayerBench::create(trial, made, options));
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  PLAIT_ASSIGN(auto fused, LayerRun::create(*fused_bench, values));
  trial.doing(what + ", " + made.text());
  PLAIT_TRY(fused->all().at(what));
  PLAIT_TRY(fused->check_memory().at(what));
  const auto* y = fused->outputs[0].as<float>();
  LayerValues undone = values;
  for (size_t k = 0; k < undone.output_gradients[0].size(); ++k)
    undone.output_gradients[0][k] = static_cast<float>(undone.output_gradients[0][k] * slope(e, y[k]));
  PLAIT_ASSIGN(auto plain, LayerRun::create(*plain_bench, undone));
  PLAIT_TRY(plain->all());
  for (size_t k = 0; k < undone.output_gradients[0].size(); ++k) {
    const double wanted = apply(e, plain->outputs[0].as<float>()[k]);
    if (!near(wanted, y[k]))
      return broken(
          fmt::format("{} absorbed: output element {} is {:.6g}, the function after the layer gives {:.6g}",
                      what, k, y[k], wanted));
  }
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    if (!fused_bench->options().gradient_needed[i]) continue;
    for (uint64_t k = 0; k < element_count(made.inputs[i].shape); ++k) {
      const double got = fused->input_gradients[i].as<float>()[k],
                   wanted = plain->input_gradients[i].as<float>()[k];
      if (!near(got, wanted))
        return broken(fmt::format("{} absorbed: gradient of input {}, element {}, is {:.6g}, wanted {:.6g}",
                                  what, i, k, got, wanted));
    }
  }
  for (size_t i = 0; i < made.shapes.parameters.size(); ++i) {
    PLAIT_ASSIGN(const auto got, fused->parameter_gradient(i));
    PLAIT_ASSIGN(const auto wanted, plain->parameter_gradient(i));
    for (size_t k = 0; k < got.size(); ++k)
      if (!near(got[k], wanted[k]))
        return broken(
            fmt::format("{} absorbed: gradient of parameter {}, element {}, is {:.6g}, wanted {:.6g}", what,
                        i, k, got[k], wanted[k]));
  }
  return {};
}

Status epilogues(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    for (const Epilogue& e : accepted_epilogues(trial, made)) {
      PLAIT_TRY(check_epilogue(trial, made, e).at(made.text()));
      ++tried;
    }
  }
  if (tried == 0) return skipped("the layer absorbs no function");
  trial.remark(fmt::format("{} functions in {} cases", tried, cases.size()));
  return {};
}

// An element's bits do not depend on which others are beside it: whoever absorbs the functions cuts as it
// likes.
Status check_pieces(const LayerCase& made, const Epilogue& e, const std::vector<float>& x,
                    const std::vector<float>& dy) {
  const plait_epilogue c = e.c();
  std::vector<float> y(x.size()), dx(x.size()), in_pieces(x), back_in_pieces(dy);
  c.forward(&c, x.data(), y.data(), x.size());
  c.backward(&c, y.data(), dy.data(), dx.data(), x.size());
  for (size_t at = 0, next = 1; at < x.size(); at += next, next = next % 21 + 2) {
    const size_t count = std::min(next, x.size() - at);
    c.forward(&c, in_pieces.data() + at, in_pieces.data() + at, count);
    c.backward(&c, y.data() + at, back_in_pieces.data() + at, back_in_pieces.data() + at, count);
  }
  for (size_t k = 0; k < x.size(); ++k) {
    if (std::bit_cast<uint32_t>(y[k]) != std::bit_cast<uint32_t>(in_pieces[k]))
      return broken(
          fmt::format("{}: the functions that it brings give element {} as {:.9g} among {}, and {:.9g} in a "
                      "smaller piece and in place",
                      made.text(), k, y[k], x.size(), in_pieces[k]));
    if (std::bit_cast<uint32_t>(dx[k]) != std::bit_cast<uint32_t>(back_in_pieces[k]))
      return broken(
          fmt::format("{}: the functions that it brings give the gradient of element {} as {:.9g} among {}, "
                      "and {:.9g} in a smaller piece and in place",
                      made.text(), k, dx[k], x.size(), back_in_pieces[k]));
  }
  return {};
}

// The layer is what it advertises: whoever absorbs it computes the advertised function instead.
Status advertised(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    if (made.shapes.is_epilogue.empty()) continue;
    const Epilogue& e = made.shapes.is_epilogue.front();
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
    PLAIT_TRY(run->all());
    if (e.functions) PLAIT_TRY(check_pieces(made, e, values_of(run->inputs[0]), values.output_gradients[0]));
    for (uint64_t k = 0; k < run->outputs[0].bytes() / 4; ++k) {
      const double x = run->inputs[0].as<float>()[k], y = run->outputs[0].as<float>()[k];
      if (!near(apply(e, x), y))
        return broken(
            fmt::format("{}: says it is {} ({}, {}), which of {:.6g} is {:.6g}, but forward gives {:.6g}",
                        made.text(), e.name, e.alpha, e.beta, x, apply(e, x), y));
      if (!e.functions || !bench->options().gradient_needed[0]) continue;
      const double dx = run->input_gradients[0].as<float>()[k],
                   wanted = values.output_gradients[0][k] * slope(e, y);
      if (!near(dx, wanted))
        return broken(
            fmt::format("{}: the functions that it brings give the gradient of element {} as {:.6g}, but "
                        "backward gives {:.6g}",
                        made.text(), k, wanted, dx));
    }
  }
  for (const LayerCase& made : cases)
    if (!made.shapes.is_epilogue.empty()) return {};
  return skipped("the layer does not offer itself to be absorbed");
}

// The outputs of one forward pass, e absorbed or not.
Result<std::vector<float>> outputs_of(Trial& trial, const LayerCase& made, const LayerValues& values,
                                      const std::optional<Epilogue>& e) {
  BenchOptions options;
  options.epilogue = e;
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
  PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
  PLAIT_TRY(run->prepare());
  PLAIT_TRY(run->forward());
  return values_of(run->outputs[0]);
}

// A network that fails has to be seen to, whoever applies its functions.
Status absorbed_nan(Trial& trial) {
  if (trial.device() != nullptr) return skipped("what a vendor's library absorbs is its own");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    if (made.inputs[0].dtype != PLAIT_F32 || element_count(made.inputs[0].shape) == 0) continue;
    PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
    reinterpret_cast<float*>(values.inputs[0].data())[0] = NAN;
    std::vector<float> plain;
    for (Epilogue e : accepted_epilogues(trial, made)) {
      if (!e.functions && e.name == "relu") e.alpha = 0;  // which the larger of x and 0 is taken for
      if (plain.empty()) {
        PLAIT_ASSIGN(plain, outputs_of(trial, made, values, std::nullopt));
      }
      PLAIT_ASSIGN(const auto fused, outputs_of(trial, made, values, e));
      for (size_t k = 0; k < plain.size(); ++k) {
        if (!std::isnan(plain[k]) || std::isnan(fused[k]) || !std::isnan(apply(e, NAN))) continue;
        return broken(fmt::format("{}: output element {} is NaN, but {} with {} absorbed, wanted NaN",
                                  made.text(), k, fused[k], e.name));
      }
      ++tried;
    }
  }
  return tried > 0 ? Status() : skipped("the layer absorbs no function, or takes no numbers in f32");
}

}  // namespace

std::vector<Law> layer_epilogue_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "epilogue", kMust,
       "an absorbed function gives what it gives after the layer, forward and backward", epilogues},
      {kKind, "absorbed_nan", kMust, "an absorbed function makes no number of a NaN", absorbed_nan},
      {kKind, "advertised_epilogue", kMust, "the layer is the function that it offers to be absorbed as",
       advertised},
  };
}

}  // namespace plait::inline verify
