// Laws of layers about forms of the same work: packed parameters, shared memory, lengths, values.
#include <fmt/format.h>

#include <algorithm>
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
      {kKind, "in_place", kMust, "sharing memory of input and output changes nothing", in_place},
      {kKind, "lengths", kMust, "what lies past a sample's length does not matter", lengths},
      {kKind, "no_nan", kMust, "finite inputs give no NaN", no_nan},
  };
}

}  // namespace plait::inline verify
