// Laws of the numbers that a file may hold: every whole number has bounds, and nothing within them does harm.
#include <fmt/format.h>

#include <cmath>

#include "base/checked.h"
#include "plan/plan.h"
#include "verify/benches/extreme_configs.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/samples.h"
#include "verify/benches/worker.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// "kernel", "outer.inner": the first whole number without bounds, or "".
std::string unbounded(const plait_field* const* fields, uint32_t count, const std::string& before) {
  for (uint32_t i = 0; i < count; ++i) {
    const plait_field& field = *fields[i];
    const std::string name = before + field.name;
    if (field.kind == PLAIT_FIELD_I64 && (std::isinf(field.low) || std::isinf(field.high))) return name;
    if (field.kind != PLAIT_FIELD_MESSAGE) continue;
    if (const auto inner = unbounded(field.fields, field.n_fields, name + "."); !inner.empty()) return inner;
  }
  return "";
}

Status bounded_integers(Trial& trial) {
  const std::string name = unbounded(trial.type().fields, trial.type().n_fields, "");
  if (name.empty()) return {};
  return broken("field \"" + name + "\" takes any whole number up to 2^63: give it a range that makes sense");
}

// ---- layers: shapes, a plan, and a step where it is small

constexpr double kMostWork = 1 << 24;  // multiply-adds of a step, roughly
constexpr uint64_t kMostStepBytes = 16 << 20;

const std::vector<std::vector<int64_t>> kShapes = {{2, 5},          {3, 7, 4},    {2, 5, 6, 3}, {1, 9, 8, 1},
                                                   {2, 3, 4, 3, 2}, {1, 1, 1, 1}, {1, 1, 1},    {4, 16}};

class LayerRanges {
 public:
  explicit LayerRanges(Trial& trial) : trial_(trial) {}

  Status run(const std::vector<std::shared_ptr<plait_config>>& configs) {
    for (const auto& config : configs) {
      spec_.name = "layer";
      spec_.plugin.entry = &trial_.entry();
      spec_.plugin.config = config;
      for (const auto& shape : kShapes) PLAIT_TRY(try_shape(shape));
    }
    trial_.remark(fmt::format("{} configurations: {} inferred, {} planned, {} steps", configs.size(),
                              inferred_, planned_, steps_));
    return {};
  }

 private:
  Status try_shape(const std::vector<int64_t>& shape) {
    const uint32_t count = std::max<uint32_t>(trial_.rules<plait_layer_rules>().min_inputs, 1);
    const std::vector<PartSpec> inputs(count, PartSpec{"", PLAIT_F32, shape, -1});
    const std::string what = config_text(*spec_.plugin.config) + ", " + shape_text(inputs.front());
    trial_.doing("infer for " + what);
    auto shapes = infer_layer(spec_, inputs);
    if (!shapes) return refusal(shapes.status(), "infer", what);
    ++inferred_;
    trial_.doing("planning " + what);
    if (const Status plan = plan_alone(inputs); !plan) return refusal(plan, "create", what);
    ++planned_;
    LayerCase made;
    made.spec = spec_;
    made.inputs = inputs;
    made.shapes = std::move(*shapes);
    return step(made, what);
  }

  // A refusal is what is wanted; silence is not.
  static Status refusal(const Status& status, const char* call, const std::string& what) {
    return is_silent(status) ? broken(fmt::format("{} refuses {} without saying why", call, what)) : Status();
  }

  // As `plait check` and evaluation do: memory laid out, kernels made.
  Status plan_alone(const std::vector<PartSpec>& inputs) {
    if (trial_.device() != nullptr) return {};
    Job job;
    job.name = "ranges";
    job.layers.push_back(spec_);
    std::vector<PartSpec> parts;
    for (size_t i = 0; i < inputs.size(); ++i) {
      PartSpec part = inputs[i];
      part.name = fmt::format("x{}", i);
      part.shape.erase(part.shape.begin());
      job.layers.front().inputs.push_back({part.name, 0, {}});
      parts.push_back(std::move(part));
    }
    PLAIT_ASSIGN(Network network, shape_network(job, parts, static_cast<int>(inputs.front().shape.front())));
    CompileOptions options;
    options.training = false;
    options.device_id = trial_.name().device_id;
    return Plan::compile(trial_.registry(), std::move(network), options).status();
  }

  Status step(const LayerCase& made, const std::string& what) {
    if (bytes_of(made) > kMostStepBytes || work_of(made) > kMostWork) return {};
    trial_.doing("create for training, " + what);
    auto bench = LayerBench::create(trial_, made);
    if (!bench) return refusal(bench.status(), "create", what);
    const LayerBench::Needs& needs = (*bench)->needs();
    uint64_t bytes = sum_or_most(sum_or_most(needs.saved, needs.workspace), needs.prepared);
    for (const auto& [index, elements] : needs.stored)
      bytes = sum_or_most(bytes, product_or_most(elements, 4));
    if (bytes > kMostStepBytes) return {};
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial_, made));
    PLAIT_ASSIGN(auto run, LayerRun::create(**bench, values));
    trial_.doing("a step, " + what);
    ++steps_;
    const Status status = run->all();
    if (!status && is_silent(status)) return broken("a step fails without saying why, " + what);
    return run->check_memory().at(what);
  }

  static uint64_t bytes_of(const LayerCase& made) {
    uint64_t bytes = 0;
    for (const PartSpec& output : made.shapes.outputs) bytes = sum_or_most(bytes, byte_count(output));
    for (const auto* list : {&made.shapes.parameters, &made.shapes.buffers})
      for (const ParameterInfo& info : *list) bytes = sum_or_most(bytes, product_or_most(info.elements, 4));
    return bytes;
  }
  // At most every output sees every input of its sample.
  static double work_of(const LayerCase& made) {
    double inputs = 0, outputs = 0;
    for (const PartSpec& input : made.inputs) inputs += static_cast<double>(element_count(input.shape));
    for (const PartSpec& output : made.shapes.outputs)
      outputs += static_cast<double>(element_count(output.shape));
    const auto batch = static_cast<double>(std::max<int64_t>(made.inputs.front().shape.front(), 1));
    return std::max(made.shapes.multiply_adds, inputs / batch * outputs);
  }

  Trial& trial_;
  LayerSpec spec_;
  int inferred_ = 0, planned_ = 0, steps_ = 0;
};

// The other kinds: workers of drawn configurations, all calls of a step.
Status try_workers(Trial& trial) {
  constexpr int kRounds = 60;
  int steps = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto workers = make_workers(trial, 2);
    if (is_skipped(workers.status()) && round == 0 && steps == 0) continue;
    if (!workers && is_silent(workers.status()))
      return broken("fails without saying why: " + workers.status().message());
    if (!workers) continue;
    for (const auto& worker : *workers) {
      trial.doing("calls, " + worker->text());
      const Status status = worker->run();
      if (!status && is_silent(status)) return broken("fails without saying why, " + worker->text());
      if (const std::string misdeed = worker->misdeed(); !misdeed.empty())
        return broken(misdeed + ", " + worker->text());
      ++steps;
    }
  }
  trial.remark(fmt::format("{} configurations at work", steps));
  return {};
}

Status whole_ranges(Trial& trial) {
  if (trial.type().n_fields == 0) return skipped("the type has no fields");
  trial.draw_whole_ranges();
  if (std::string(trial.type().kind) != "layer") return try_workers(trial);
  constexpr size_t kConfigs = 150;
  PLAIT_ASSIGN(const auto cases, config_cases(trial, kConfigs));
  std::vector<std::shared_ptr<plait_config>> configs;
  for (const Example& one : cases) configs.push_back(one.config);
  return LayerRanges(trial).run(configs);
}

}  // namespace

std::vector<Law> range_laws() {
  return {
      {"type", "bounded_integers", Severity::kShould, "every whole number of the configuration has a range",
       bounded_integers},
      {"type", "whole_ranges", Severity::kMust,
       "any numbers within the ranges, edges too, are refused in words or work within their memory",
       whole_ranges},
  };
}

}  // namespace plait::inline verify
