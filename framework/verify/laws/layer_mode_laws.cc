// Laws of layers about what they are asked for: every combination of training, frozen parameters and wanted
// gradients; what backward may read; what lives between two calls.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 12;
constexpr size_t kMostMasked = 3;  // inputs whose gradients are wanted in every combination

// As the host asks: a layer in training, frozen and with nothing before it that learns, has no backward.
struct Mode {
  bool training, backward, frozen;
  std::vector<uint8_t> wanted;  // gradients of inputs

  std::string text() const {
    std::string text = training ? "training" : "evaluation";
    if (frozen) text += ", parameters frozen";
    if (!backward) return text + ", no backward";
    std::string numbers;
    for (size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i]) numbers += fmt::format(" {}", i);
    return text +
           (numbers.empty() ? ", no gradient of an input wanted" : ", gradients wanted of inputs" + numbers);
  }
};

std::vector<std::vector<uint8_t>> masks(const LayerCase& made) {
  std::vector<size_t> open;
  for (size_t i = 0; i < made.inputs.size() && open.size() < kMostMasked; ++i)
    if (made.inputs[i].dtype == PLAIT_F32 && made.range(i) == nullptr) open.push_back(i);
  std::vector<std::vector<uint8_t>> all;
  for (size_t bits = 0; bits < size_t{1} << open.size(); ++bits) {
    all.emplace_back(made.inputs.size());
    for (size_t k = 0; k < open.size(); ++k) all.back()[open[k]] = bits >> k & 1;
  }
  return all;
}

std::vector<Mode> modes(const LayerCase& made) {
  const std::vector<uint8_t> none(made.inputs.size());
  std::vector<Mode> all;
  for (bool frozen : {false, true}) {
    for (bool training : {true, false}) all.push_back({training, false, frozen, none});
    for (const auto& mask : masks(made)) {
      const bool learns = !frozen && !made.shapes.parameters.empty();
      if (mask != none || learns) all.push_back({true, true, frozen, mask});
    }
  }
  return all;
}

struct ModeRun {
  std::unique_ptr<LayerBench> bench;
  std::unique_ptr<LayerRun> run;
};

Result<ModeRun> run_mode(Trial& trial, const LayerCase& made, const LayerValues& values, const Mode& mode,
                         Fence fence) {
  const auto at = [&](const char* what) {
    trial.doing(fmt::format("{}, {}, memory between fences, {}", what, mode.text(), made.text()));
    return what;
  };
  ModeRun m;
  BenchOptions options;
  options.training = mode.training, options.parameters_frozen = mode.frozen;
  options.gradient_needed = mode.wanted;
  PLAIT_ASSIGN(m.bench, LayerBench::create(trial, made, options));
  LayerRunOptions run;
  run.training = mode.training, run.fence = fence;
  PLAIT_ASSIGN(m.run, LayerRun::create(*m.bench, values, run));
  at("prepare");
  PLAIT_TRY(m.run->prepare());
  const char* what = at("forward");
  PLAIT_TRY(m.run->forward());
  PLAIT_TRY(m.run->check_memory().at(what));
  if (!mode.backward) return m;
  what = at("backward");
  PLAIT_TRY(m.run->backward());
  PLAIT_TRY(m.run->check_memory().at(what));
  return m;
}

// Kernels made for another mode may round otherwise.
Status near_blocks(const std::string& what, const Guarded& got, const Guarded& wanted) {
  double most = 0;
  const uint64_t count = wanted.bytes() / sizeof(float);
  for (uint64_t k = 0; k < count; ++k)
    most = std::max(most, std::abs(static_cast<double>(wanted.as<float>()[k])));
  for (uint64_t k = 0; k < count; ++k) {
    const double a = got.as<float>()[k], b = wanted.as<float>()[k];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (!(std::abs(a - b) <= 1e-4 * (most + 1e-3)))
      return broken(fmt::format("{}, element {}, is {:.6g}; in another mode that has to give the same {:.6g}",
                                what, k, a, b));
  }
  return {};
}

Status compare(const LayerCase& made, const Mode& mode, const LayerRun& got, const LayerRun& full) {
  for (size_t i = 0; i < got.outputs.size(); ++i)
    if (made.shapes.outputs[i].dtype == PLAIT_F32)
      PLAIT_TRY(near_blocks(fmt::format("output {}", i), got.outputs[i], full.outputs[i]));
  if (!mode.backward) return {};
  for (size_t i = 0; i < got.input_gradients.size(); ++i)
    if (mode.wanted[i])
      PLAIT_TRY(near_blocks(fmt::format("gradient of input {}", i), got.input_gradients[i],
                            full.input_gradients[i]));
  for (size_t i = 0; i < got.parameter_gradients.size() && !mode.frozen; ++i)
    PLAIT_TRY(near_blocks("gradient of parameter \"" + made.shapes.parameters[i].name + "\"",
                          got.parameter_gradients[i], full.parameter_gradients[i]));
  return {};
}

// The last mode of training with and without frozen parameters wants everything. Those two may differ (the
// laws of gradients take differences in both); in evaluation nothing learns, so that freezing changes
// nothing.
Status check_modes(Trial& trial, const LayerCase& made, uint64_t& tried) {
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  const std::vector<Mode> all = modes(made);
  using Group = std::pair<bool, bool>;  // training, frozen: whose runs give the same
  std::map<Group, ModeRun> full;
  for (size_t n = all.size(); n-- > 0;) {
    const Mode& mode = all[n];
    for (const Fence fence : {Fence::kBehind, Fence::kBefore}) {
      auto m = run_mode(trial, made, values, mode, fence);
      if (!m) return m.status().at(mode.text());
      ++tried;
      const Group group{mode.training, mode.training && mode.frozen};
      const auto reference = full.find(group);
      if (reference != full.end()) {
        PLAIT_TRY(compare(made, mode, *m->run, *reference->second.run).at(mode.text()));
      } else if (mode.backward || !mode.training) {
        full.emplace(group, std::move(*m));
      }
    }
  }
  return {};
}

Status combinations(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  uint64_t tried = 0;
  for (const LayerCase& made : cases) PLAIT_TRY(check_modes(trial, made, tried).at(made.text()));
  trial.remark(fmt::format("{} combinations in {} cases", tried, cases.size()));
  return {};
}

// ---- what a field left to the layer

std::string choices_text(const LayerBench& bench) {
  std::string text;
  for (const KernelChoice& choice : bench.kernels().choices)
    text += (text.empty() ? "" : ", ") + choice.field + ": " + choice.value;
  return text.empty() ? "nothing" : text;
}

// What one layer takes where the host makes it: to train, to evaluate, for other batches and lanes.
Status check_choices(Trial& trial, const LayerCase& made, const std::string& wanted) {
  for (const int64_t batch : {1, 3, 256}) {
    const auto other = made.with_batch(batch);
    if (!other) continue;
    for (const bool training : {true, false}) {
      for (const int lanes : {1, 2}) {
        BenchOptions options;
        options.training = training, options.lanes = lanes;
        const auto bench = LayerBench::create(trial, *other, options);
        if (!bench && batch == 1 && is_refusal(bench.status())) continue;  // too few to learn a variance of
        if (!bench) return bench.status();
        const std::string got = choices_text(**bench);
        if (got == wanted) continue;
        return broken(fmt::format(
            "chooses {} in {}, with a batch of {} and {} lanes, and {} elsewhere: a choice is kept "
            "with the run, for all of it",
            got, training ? "training" : "evaluation", batch, lanes, wanted));
      }
    }
  }
  return {};
}

Status choices(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(const auto bench, LayerBench::create(trial, made));
    if (bench->kernels().choices.empty()) continue;
    PLAIT_TRY(check_choices(trial, made, choices_text(*bench)).at(made.text()));
    ++tried;
  }
  if (tried == 0) return skipped("no case in which the layer tells a choice");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

// ---- between forward and backward

// What an instance absorbs changes what its backward reads: none, and every function that it accepts.
std::vector<BenchOptions> absorbing(const Trial& trial, const LayerCase& made) {
  std::vector<BenchOptions> all(1);
  for (const Epilogue& e : accepted_epilogues(trial, made)) {
    all.emplace_back();
    all.back().epilogue = e;
  }
  return all;
}

// Backward after `spoil` has been at the memory between it and forward.
template <class Spoil>
Result<std::unique_ptr<LayerRun>> spoilt(const LayerBench& bench, const LayerValues& values, Spoil spoil) {
  PLAIT_ASSIGN(auto run, LayerRun::create(bench, values));
  PLAIT_TRY(run->prepare());
  PLAIT_TRY(run->forward());
  spoil(*run);
  PLAIT_TRY(run->backward());
  return run;
}

template <class Spoil>
Status check_spoilt(Trial& trial, const std::string& doing, const std::string& fault, Spoil spoil) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    for (const BenchOptions& options : absorbing(trial, made)) {
      PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
      PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
      PLAIT_ASSIGN(auto wanted, LayerRun::create(*bench, values));
      PLAIT_TRY(wanted->all().at(made.text()));
      for (const Poison poison : {Poison::kNan, Poison::kNumber}) {
        trial.doing(doing + ", " + made.text());
        PLAIT_ASSIGN(auto run, spoilt(*bench, values, [&](LayerRun& r) { spoil(*bench, r, poison); }));
        if (const auto what = wanted->gradient_difference(*run); !what.empty())
          return broken(fmt::format("{} differs {} ({})", what, fault, made.text()));
      }
      ++tried;
    }
  }
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

void poison_all(std::vector<Guarded>& blocks, Poison poison) {
  for (Guarded& block : blocks) block.poison(poison, false);
}

Status backward_reads(Trial& trial) {
  return check_spoilt(trial, "backward after what it does not say that it reads was overwritten",
                      "when inputs or outputs that backward does not say that it reads (backward_reads) are "
                      "overwritten before it: the host gives that memory to others",
                      [](const LayerBench& bench, LayerRun& run, Poison poison) {
                        if (!(bench.needs().reads & PLAIT_READS_INPUTS)) poison_all(run.inputs, poison);
                        if (!(bench.needs().reads & PLAIT_READS_OUTPUTS)) poison_all(run.outputs, poison);
                      });
}

Status workspace(Trial& trial) {
  return check_spoilt(
      trial, "backward after the workspace was overwritten",
      "when the workspace is overwritten between forward and backward: it lives for one call, saved memory "
      "is what goes on",
      [](const LayerBench&, LayerRun& run, Poison poison) { run.workspace.poison(poison, false); });
}

// ---- buffers measured by a batch

Result<ModeRun> run_measuring(Trial& trial, const LayerCase& made, const LayerValues& values) {
  trial.doing("forward, measuring, " + made.text());
  ModeRun m;
  BenchOptions options;
  options.training = false, options.measuring = true;
  options.gradient_needed.assign(made.inputs.size(), 0);
  PLAIT_ASSIGN(m.bench, LayerBench::create(trial, made, options));
  LayerRunOptions run;
  run.training = false, run.measuring = true;
  PLAIT_ASSIGN(m.run, LayerRun::create(*m.bench, values, run));
  PLAIT_TRY(m.run->prepare());
  PLAIT_TRY(m.run->forward());
  PLAIT_TRY(m.run->check_memory());
  return m;
}

Status buffers_alike(const LayerCase& made, const LayerRun& got, const LayerRun& after_nan) {
  for (size_t i = 0; i < got.buffers.size(); ++i) {
    const ParameterInfo& info = made.shapes.buffers[i];
    if (info.reduce == PLAIT_REDUCE_NONE || got.buffers[i].same_bits(after_nan.buffers[i])) continue;
    return broken(
        fmt::format("measured, buffer \"{}\" depends on what was in it: wanted what the batch "
                    "alone says",
                    info.name));
  }
  return {};
}

Status check_measuring(Trial& trial, const LayerCase& made) {
  PLAIT_ASSIGN(LayerValues values, draw_values(trial, made));
  BenchOptions training;
  training.gradient_needed.assign(made.inputs.size(), 0);
  PLAIT_ASSIGN(const auto bench, LayerBench::create(trial, made, training));
  PLAIT_ASSIGN(const auto trained, LayerRun::create(*bench, values));
  PLAIT_TRY(trained->prepare());
  PLAIT_TRY(trained->forward());
  PLAIT_ASSIGN(const ModeRun measured, run_measuring(trial, made, values));
  for (size_t i = 0; i < trained->outputs.size(); ++i)
    if (made.shapes.outputs[i].dtype == PLAIT_F32)
      PLAIT_TRY(
          near_blocks(fmt::format("measuring, output {}", i), measured.run->outputs[i], trained->outputs[i]));
  for (size_t i = 0; i < values.buffers.size(); ++i)
    if (made.shapes.buffers[i].reduce != PLAIT_REDUCE_NONE)
      std::ranges::fill(values.buffers[i], std::numeric_limits<float>::quiet_NaN());
  PLAIT_ASSIGN(const ModeRun after_nan, run_measuring(trial, made, values));
  return buffers_alike(made, *measured.run, *after_nan.run);
}

Status measuring(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  int tried = 0;
  for (const LayerCase& made : cases) {
    if (!made.shapes.measures) continue;
    PLAIT_TRY(check_measuring(trial, made).at(made.text()));
    ++tried;
  }
  if (tried == 0) return skipped("the layer does not say that it measures its buffers");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_mode_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "combinations", kMust,
       "works within its memory in every combination of training, frozen parameters and wanted gradients",
       combinations},
      {kKind, "choices", kMust,
       "what a field leaves to it is the same in training and evaluation, for any batch and lanes", choices},
      {kKind, "backward_reads", kMust, "backward reads no more than it says", backward_reads},
      {kKind, "workspace", kMust, "the workspace carries nothing from one call to the next", workspace},
      {kKind, "measuring", kMust,
       "measuring its buffers it gives what it gives in training, and each becomes what the batch alone says",
       measuring},
  };
}

}  // namespace plait::inline verify
