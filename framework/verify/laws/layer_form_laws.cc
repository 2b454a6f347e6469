// Laws of layers about forms of the same work: packed parameters, absorbed functions, shared memory, lengths,
// values.
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

Status check_packed(const LayerBench& bench, const LayerCase& made, size_t i,
                    const std::vector<float>& plain) {
  const std::string name = made.shapes.parameters[i].name;
  Guarded first(bench.stored_elements(i) * 4, Poison::kNan), second(first.bytes(), Poison::kNumber);
  Guarded back(plain.size() * 4, Poison::kNan);
  CallContext context;
  const auto index = static_cast<uint32_t>(i);
  const auto pack = [&](Guarded& to, const float* from) {
    return context.call(
        [&] { return bench.ops().pack(bench.self(), context.raw(), index, from, to.as<float>()); });
  };
  PLAIT_TRY(pack(first, plain.data()).at("pack"));
  PLAIT_TRY(pack(second, plain.data()).at("pack"));
  PLAIT_TRY(context
                .call([&] {
                  return bench.ops().unpack(bench.self(), context.raw(), index, first.as<float>(),
                                            back.as<float>());
                })
                .at("unpack"));
  for (const Guarded* block : {&first, &second, &back})
    if (const auto found = block->overrun(); !found.empty())
      return broken(fmt::format("pack or unpack of \"{}\" writes outside its memory: {}", name, found));
  if (!first.same_bits(second))
    return broken(fmt::format("pack of \"{}\" leaves elements of its output unwritten", name));
  for (uint64_t k = 0; k < plain.size(); ++k)
    if (back.as<float>()[k] != plain[k])
      return broken(fmt::format("\"{}\": unpack(pack(x)) is not x: element {} comes back as {}, was {}", name,
                                k, back.as<float>()[k], plain[k]));
  const std::vector<float> ones(plain.size(), 1.0f);
  PLAIT_TRY(pack(first, ones.data()).at("pack"));
  uint64_t set = 0;
  for (uint64_t k = 0; k < first.bytes() / 4; ++k) {
    if (first.as<float>()[k] == 1.0f)
      ++set;
    else if (first.as<float>()[k] != 0.0f)
      return broken(fmt::format("pack of \"{}\" changes values or fills its padding with {}, wanted zeros",
                                name, first.as<float>()[k]));
  }
  return set == plain.size()
             ? Status()
             : broken(fmt::format("pack of \"{}\" stores {} of {} elements", name, set, plain.size()));
}

Status packing(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    if (!bench->packs() && !bench->needs().stored.empty())
      return broken("stored_elements without pack and unpack");
    if (!bench->packs()) return skipped("parameters are in plain order");
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    trial.doing("pack and unpack, " + made.text());
    for (size_t i = 0; i < values.parameters.size(); ++i)
      PLAIT_TRY(check_packed(*bench, made, i, values.parameters[i]).at(made.text()));
  }
  return {};
}

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

Status in_place(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    if (!made.shapes.in_place) continue;
    if (byte_count(made.inputs[0]) != byte_count(made.shapes.outputs[0]))
      return broken("in place, but output 0 is of another size than input 0");
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto apart, LayerRun::create(*bench, values));
    LayerRunOptions shared;
    shared.in_place = true;
    PLAIT_ASSIGN(auto together, LayerRun::create(*bench, values, shared));
    trial.doing("in place, " + made.text());
    PLAIT_TRY(apart->all());
    PLAIT_TRY(together->all());
    PLAIT_TRY(together->check_memory().at("in place"));
    if (const auto what = apart->difference(*together); !what.empty())
      return broken(what + " differs when output 0 lies in input 0's memory (" + made.text() + ")");
    ++tried;
  }
  return tried > 0 ? Status() : skipped("the layer does not work in place");
}

// What lies past a sample's length must not reach what lies within.
Status check_lengths(Trial& trial, const LayerCase& made) {
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  const auto batch = static_cast<size_t>(made.inputs[0].shape[0]);
  const auto extent = static_cast<size_t>(made.inputs[0].shape[1]);
  for (size_t n = 0; n < batch; ++n)
    values.lengths[0].push_back(static_cast<int32_t>(1 + n * (extent - 1) / batch));
  LayerValues other = values;
  const size_t stride = element_count(made.inputs[0].shape) / batch / extent;
  auto* x = reinterpret_cast<float*>(other.inputs[0].data());
  for (size_t n = 0; n < batch; ++n)
    for (size_t k = static_cast<size_t>(values.lengths[0][n]) * stride; k < extent * stride; ++k)
      x[n * extent * stride + k] += 3;
  PLAIT_ASSIGN(auto first, LayerRun::create(*bench, values));
  PLAIT_ASSIGN(auto second, LayerRun::create(*bench, other));
  trial.doing("variable lengths, " + made.text());
  PLAIT_TRY(first->all());
  PLAIT_TRY(second->all());
  PLAIT_TRY(first->check_memory());
  const PartSpec& out = made.shapes.outputs[0];
  const bool varies = out.variable_axis == 1;
  const size_t out_extent = out.shape.size() > 1 && varies ? static_cast<size_t>(out.shape[1]) : 1;
  const size_t out_stride = element_count(out.shape) / batch / out_extent;
  for (size_t n = 0; n < batch; ++n) {
    const size_t valid = varies && out_extent == extent ? static_cast<size_t>(values.lengths[0][n])
                         : varies                       ? 1
                                                        : out_extent;
    for (size_t k = 0; k < valid * out_stride; ++k) {
      const size_t at = n * out_extent * out_stride + k;
      if (first->outputs[0].as<float>()[at] != second->outputs[0].as<float>()[at])
        return broken(
            fmt::format("sample {} (length {} of {}): output element {} depends on what lies past its length",
                        n, values.lengths[0][n], extent, k));
    }
  }
  return {};
}

Status lengths(Trial& trial) {
  if ((trial.type().flags & PLAIT_TYPE_TWO_AXES) != 0)
    return skipped("the layer counts on zeros past a sample's extents: see extents");
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    if (made.inputs.size() != 1 || made.inputs[0].shape.size() < 3 || made.inputs[0].dtype != PLAIT_F32 ||
        made.inputs[0].shape[1] < 2 || made.range(0) != nullptr)
      continue;
    std::vector<PartSpec> inputs = made.inputs;
    inputs[0].variable_axis = 1;
    const auto varying = made.with_inputs(inputs);
    if (!varying || varying->shapes.outputs[0].dtype != PLAIT_F32) continue;
    PLAIT_TRY(check_lengths(trial, *varying).at(varying->text()));
    ++tried;
  }
  return tried > 0 ? Status() : skipped("the layer accepts no variable extents");
}

Status no_nan(Trial& trial) {
  static const std::vector<float> kValues = {0.0f, -0.0f, 1.0f,  -1.0f,  0.5f, -0.5f, 30.0f,  -30.0f,
                                             1e4f, -1e4f, 1e-6f, 1e-38f, 2.0f, -3.0f, 100.0f, -100.0f};
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
    for (int round = 0; round < 6; ++round) {
      for (size_t i = 0; i < made.inputs.size(); ++i) {
        auto* x = reinterpret_cast<float*>(values.inputs[i].data());
        for (uint64_t k = 0; made.inputs[i].dtype == PLAIT_F32 && made.range(i) == nullptr &&
                             k < element_count(made.inputs[i].shape);
             ++k)
          x[k] = round == 0 ? 0.0f : round == 1 ? 1.0f : trial.dice().pick(kValues);
      }
      PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
      trial.doing("special values, " + made.text());
      PLAIT_TRY(run->all().at(made.text()));
      for (size_t i = 0; i < run->outputs.size(); ++i)
        for (uint64_t k = 0; made.shapes.outputs[i].dtype == PLAIT_F32 && k < run->outputs[i].bytes() / 4;
             ++k)
          if (std::isnan(run->outputs[i].as<float>()[k]))
            return broken(fmt::format("{}: output {}, element {}, is NaN for finite inputs ({})", made.text(),
                                      i, k,
                                      round == 0   ? "all 0"
                                      : round == 1 ? "all 1"
                                                   : "among them 0, 30, -30, 1e4"));
      for (size_t i = 0; i < run->input_gradients.size(); ++i)
        for (uint64_t k = 0; bench->options().gradient_needed[i] && k < run->input_gradients[i].bytes() / 4;
             ++k)
          if (std::isnan(run->input_gradients[i].as<float>()[k]))
            return broken(fmt::format("{}: gradient of input {}, element {}, is NaN for finite inputs ({})",
                                      made.text(), i, k,
                                      round == 0   ? "all 0"
                                      : round == 1 ? "all 1"
                                                   : "among them 0, 30, -30, 1e4"));
    }
  }
  return {};
}

}  // namespace

std::vector<Law> layer_form_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "packing", kMust, "unpack undoes pack; padding is zero", packing},
      {kKind, "epilogue", kMust,
       "an absorbed function gives what it gives after the layer, forward and backward", epilogues},
      {kKind, "advertised_epilogue", kMust, "the layer is the function that it offers to be absorbed as",
       advertised},
      {kKind, "in_place", kMust, "sharing memory of input and output changes nothing", in_place},
      {kKind, "lengths", kMust, "what lies past a sample's length does not matter", lengths},
      {kKind, "no_nan", kMust, "finite inputs give no NaN", no_nan},
  };
}

}  // namespace plait::inline verify
