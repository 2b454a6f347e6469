// Laws of layers about memory: what is written, what is left alone, what is read.
#include <fmt/format.h>

#include <cmath>

#include "graph/float_state.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 40;

struct Pair {  // the same values in memory with one pattern and with the other
  std::unique_ptr<LayerBench> bench;
  std::unique_ptr<LayerRun> first, second;
};

Result<Pair> make_pair_of_runs(Trial& trial, const LayerCase& made, bool training) {
  Pair pair;
  BenchOptions options;
  options.training = training;
  PLAIT_ASSIGN(pair.bench, LayerBench::create(trial, made, options));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  LayerRunOptions run;
  run.training = training;
  PLAIT_ASSIGN(pair.first, LayerRun::create(*pair.bench, values, run));
  run.poison = Poison::kNumber;
  PLAIT_ASSIGN(pair.second, LayerRun::create(*pair.bench, values, run));
  return pair;
}

Status step(Trial& trial, LayerRun& run, const LayerCase& made, bool training) {
  trial.doing("forward, " + made.text());
  PLAIT_TRY(run.prepare());
  PLAIT_TRY(run.forward());
  PLAIT_TRY(run.check_memory().at("forward"));
  if (!training) return {};
  trial.doing("backward, " + made.text());
  PLAIT_TRY(run.backward());
  return run.check_memory().at("backward");
}

template <class Check>
Status for_each_case(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases)
    for (bool training : {true, false}) PLAIT_TRY(check(made, training).at(made.text()));
  trial.remark(fmt::format("{} cases", cases.size()));
  return {};
}

Status stays_in_its_memory(Trial& trial) {
  return for_each_case(trial, [&](const LayerCase& made, bool training) -> Status {
    PLAIT_ASSIGN(auto pair, make_pair_of_runs(trial, made, training));
    return step(trial, *pair.first, made, training);
  });
}

Status writes_what_it_declares(Trial& trial) {
  return for_each_case(trial, [&](const LayerCase& made, bool training) -> Status {
    PLAIT_ASSIGN(auto pair, make_pair_of_runs(trial, made, training));
    trial.doing("forward and backward, " + made.text());
    PLAIT_TRY(pair.first->all());
    PLAIT_TRY(pair.second->all());
    // Values may look like one pattern by chance, but not like both.
    const Status first = pair.first->check_written(training), second = pair.second->check_written(training);
    return first || second ? Status() : first;
  });
}

Status overwrites(Trial& trial) {
  return for_each_case(trial, [&](const LayerCase& made, bool training) -> Status {
    PLAIT_ASSIGN(auto pair, make_pair_of_runs(trial, made, training));
    trial.doing("forward and backward, " + made.text());
    PLAIT_TRY(pair.first->all());
    PLAIT_TRY(pair.second->all());
    const std::string what = pair.first->difference(*pair.second);
    if (what.empty()) return {};
    return broken(what +
                  " depends on what its memory, or memory around it, held before: it is added to instead of "
                  "overwritten, or something is read that was never written");
  });
}

// Calls in memory that holds what others left there, beside the same calls in memory of their own.
Status used_memory_of(Trial& trial, const LayerCase& made, bool training) {
  BenchOptions options;
  options.training = training;
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
  LayerRunOptions run;
  run.training = training;
  PLAIT_ASSIGN(const LayerValues first, draw_values(trial, made));
  PLAIT_ASSIGN(const LayerValues second, draw_values(trial, made));
  PLAIT_ASSIGN(auto used, LayerRun::create(*bench, first, run));
  trial.doing("forward alone, " + made.text());
  PLAIT_TRY(used->prepare());
  PLAIT_TRY(used->forward());
  for (const LayerValues* values : {&second, &first, &second}) {
    PLAIT_ASSIGN(auto wanted, LayerRun::create(*bench, *values, run));
    PLAIT_TRY(wanted->all());
    trial.doing("the next call in the same memory, " + made.text());
    PLAIT_TRY(used->take(*values));
    PLAIT_TRY(used->all());
    if (const std::string what = wanted->difference(*used); !what.empty())
      return broken(what +
                    " differs where the memory that the layer is lent (saved, workspace, prepared, outputs, "
                    "gradients) holds what its last call left there: it is taken for a memory of its own");
  }
  return {};
}

Status used_memory(Trial& trial) {
  return for_each_case(
      trial, [&](const LayerCase& made, bool training) { return used_memory_of(trial, made, training); });
}

Status keeps_float_state(Trial& trial) {
  return for_each_case(trial, [&](const LayerCase& made, bool training) -> Status {
    FloatState state;
    PLAIT_ASSIGN(auto pair, make_pair_of_runs(trial, made, training));
    if (FloatState::repair()) return broken("create changes the floating-point mode (MXCSR) of its thread");
    trial.doing("forward and backward, " + made.text());
    PLAIT_TRY(pair.first->all());
    if (FloatState::repair())
      return broken("forward or backward changes the floating-point mode (MXCSR) of its thread");
    return {};
  });
}

Status leaves_unneeded_gradients(Trial& trial) {
  size_t tried = 0;
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto full, LayerRun::create(*bench, values));
    PLAIT_TRY(full->all().at(made.text()));
    LayerRunOptions less;
    less.skip_input_gradient.assign(made.inputs.size(), 1);
    PLAIT_ASSIGN(auto without_inputs, LayerRun::create(*bench, values, less));
    trial.doing("backward without gradients of inputs (NULL), " + made.text());
    PLAIT_TRY(without_inputs->all().at("without gradients of inputs, " + made.text()));
    LayerRunOptions frozen;
    frozen.skip_parameter_gradients = true;
    PLAIT_ASSIGN(auto without_parameters, LayerRun::create(*bench, values, frozen));
    trial.doing("backward without gradients of parameters (NULL), " + made.text());
    PLAIT_TRY(without_parameters->all().at("without gradients of parameters, " + made.text()));
    for (size_t i = 0; i < full->parameter_gradients.size(); ++i)
      if (!full->parameter_gradients[i].same_bits(without_inputs->parameter_gradients[i]))
        return broken(fmt::format(
            "{}: gradient of parameter {} differs when that of the inputs is not needed", made.text(), i));
    for (size_t i = 0; i < full->input_gradients.size(); ++i)
      if (!full->input_gradients[i].same_bits(without_parameters->input_gradients[i]))
        return broken(fmt::format(
            "{}: gradient of input {} differs when those of the parameters are not needed", made.text(), i));
    ++tried;
  }
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

Status adds_gradients(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  uint64_t tried = 0;
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    if (!bench->needs().accumulates) continue;  // another configuration may
    ++tried;
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto plain, LayerRun::create(*bench, values));
    LayerRunOptions adding;
    adding.accumulate = true;
    PLAIT_ASSIGN(auto added, LayerRun::create(*bench, values, adding));
    for (Guarded& block : added->input_gradients)
      for (uint64_t k = 0; k < block.bytes() / 4; ++k) block.as<float>()[k] = 0.5f;
    trial.doing("backward with accumulate, " + made.text());
    PLAIT_TRY(plain->all());
    PLAIT_TRY(added->all());
    for (size_t i = 0; i < plain->input_gradients.size(); ++i) {
      if (!bench->options().gradient_needed[i]) continue;
      for (uint64_t k = 0; k < plain->input_gradients[i].bytes() / 4; ++k) {
        const double base = plain->input_gradients[i].as<float>()[k],
                     sum = added->input_gradients[i].as<float>()[k];
        // The sum may be begun from 0.5: each of its terms is rounded once, and there are few of them.
        if (std::abs(base + 0.5 - sum) > 1e-4 * (1 + std::abs(base)))
          return broken(
              fmt::format("{}: with accumulate the gradient of input {}, element {}, is {}, wanted {} + 0.5",
                          made.text(), i, k, sum, base));
      }
    }
  }
  if (tried == 0) return skipped("the layer does not say that it accumulates");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> layer_memory_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "memory", kMust, "writes nothing outside its memory, nor its inputs and parameters",
       stays_in_its_memory},
      {kKind, "shapes", kMust, "forward and backward write all that infer declares", writes_what_it_declares},
      {kKind, "overwrites", kMust, "overwrites outputs and gradients; reads nothing that was never written",
       overwrites},
      {kKind, "used_memory", kMust, "what a call leaves in its memory changes nothing in the next",
       used_memory},
      {kKind, "unneeded_gradients", kMust, "gradients that are NULL are not needed, and change no others",
       leaves_unneeded_gradients},
      {kKind, "accumulates", kMust, "adds to input gradients where it says that it can", adds_gradients},
      {kKind, "float_state", kMust, "leaves the thread's floating-point mode as it was", keeps_float_state},
  };
}

}  // namespace plait::inline verify
