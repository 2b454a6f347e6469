// Laws of layers about gradients: backward is the derivative of forward.
#include <fmt/format.h>

#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/derivative.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// Of a tensor, the ends and others drawn at random when it has more places. A call on a device costs a wait
// and two copies: there are fewer of them.
struct Extent {
  size_t cases = 24;
  uint64_t places = 48;
};
Extent extent_of(const Trial& trial) { return trial.device() == nullptr ? Extent() : Extent{8, 16}; }

// Numbers that go in, and what follows for differences. Some functions have another form far from 0, or near
// it: of numbers of many sizes in one tensor, a function of each of them shows every form; where they are
// summed, the largest alone show, and so tensors of one size, small or large, are tried too.
struct Setting {
  Sizes inputs;
  std::optional<Sizes> parameters;  // none: as they begin, with a little noise
  double step = 1;                  // inputs of one size: what a step is a share of

  bool is_even() const { return inputs.least == 0 && (!parameters || parameters->least == 0); }
  // Terms of gradients: products of parameters, and of inputs for those of parameters.
  double input_terms() const { return parameters ? std::max(1.0, parameters->most) : 1; }
  double parameter_terms() const { return std::max(input_terms(), inputs.most); }
  // Small numbers beside large ones are rounded away: a step as large as these shows in their sums. 0 where
  // all are about 1: what a usual step does not move then, has a derivative below the rounding of gradients.
  double reach() const {
    if (inputs.least == 0 && step == 1 && !parameters) return 0;
    return std::max(parameter_terms(), 1.0);
  }
};
const Setting kSettings[] = {
    {{1}, {}},
    {{0x1p13, 0x1p-7}, {}},
    {{6}, {}},
    {{1}, Sizes{0x1p10, 0x1p-10}},
    {{0x1p30, 0x1p-30}, {}},
    {{1}, Sizes{4}},
    {{0x1p-14}, {}, 0x1p-14},
    {{0x1p20}, {}, 0x1p20},
};

// One case: forward at values that differ in one place, against the gradients of one backward.
class GradientTrial {
 public:
  static Result<std::unique_ptr<GradientTrial>> create(Trial& trial, const LayerCase& made,
                                                       const Setting& setting) {
    PLAIT_ASSIGN(LayerValues values, draw_values(trial, made, setting.inputs, setting.parameters));
    return create(trial, made, setting, std::move(values), false);
  }
  // The same with frozen parameters: another instance, which may go another way.
  Result<std::unique_ptr<GradientTrial>> frozen() const {
    return create(trial_, made_, setting_, values_, true);
  }

  // Of the outputs, and of the gradients of inputs.
  bool has_same_bits(const GradientTrial& other) const {
    return outputs_ == other.outputs_ && input_gradients_ == other.input_gradients_;
  }

  Status check_inputs() {
    for (size_t i = 0; i < made_.inputs.size(); ++i) {
      if (!bench_->options().gradient_needed[i]) continue;
      PLAIT_TRY(check_tensor(fmt::format("input {}", i), input_gradients_[i],
                             [&](uint64_t place) { return input_place(i, place); }));
    }
    return {};
  }

  Status check_parameters() {
    for (size_t i = 0; i < values_.parameters.size(); ++i) {
      PLAIT_TRY(check_tensor(fmt::format("parameter \"{}\"", made_.shapes.parameters[i].name),
                             parameter_gradients_[i],
                             [&](uint64_t place) { return parameter_place(i, place); }));
    }
    return {};
  }
  uint64_t compared() const { return compared_; }

 private:
  struct Place {
    float value;
    Magnitude magnitude;
    Evaluate evaluate;
  };
  GradientTrial(Trial& trial, const LayerCase& made, const Setting& setting)
      : trial_(trial), made_(made), setting_(setting) {}

  static Result<std::unique_ptr<GradientTrial>> create(Trial& trial, const LayerCase& made,
                                                       const Setting& setting, LayerValues values,
                                                       bool frozen) {
    std::unique_ptr<GradientTrial> t(new GradientTrial(trial, made, setting));
    BenchOptions options;
    options.parameters_frozen = frozen;
    PLAIT_ASSIGN(t->bench_, LayerBench::create(trial, made, options));
    t->values_ = std::move(values);
    PLAIT_ASSIGN(t->run_, LayerRun::create(*t->bench_, t->values_));
    trial.doing("forward and backward, " + made.text());
    PLAIT_TRY(t->run_->all());
    PLAIT_TRY(t->keep_results());
    for (const auto& gradient : t->values_.output_gradients)
      t->weights_.insert(t->weights_.end(), gradient.begin(), gradient.end());
    return t;
  }

  // An output is small beside others where its terms cancel, and each of them was rounded: where numbers are
  // of one size, or where outputs are sums of n inputs, whose n roundings come to half a unit times sqrt(n)
  // of the largest; a difference takes four units for granted. Small outputs of many sizes may be exact else.
  double inner_size() const {
    double inputs = 0, outputs = 0, most = 0;
    for (const auto& input : values_.inputs) inputs += static_cast<double>(input.size() / sizeof(float));
    for (const auto& output : outputs_) outputs += static_cast<double>(output.size());
    for (const auto& output : outputs_)
      for (float y : output)
        if (std::isfinite(y)) most = std::max(most, std::abs(static_cast<double>(y)));
    const double terms = inputs / std::max(outputs, 1.0);
    if (terms < 2 && !setting_.is_even()) return 0;
    return most * std::max(1.0, std::sqrt(terms) / 4);
  }

  // The differences overwrite the run's memory.
  Status keep_results() {
    const auto keep = [](const Guarded& block, std::vector<std::vector<float>>& into) {
      into.emplace_back(block.as<float>(), block.as<float>() + block.bytes() / sizeof(float));
    };
    for (const Guarded& block : run_->outputs) keep(block, outputs_);
    result_ = inner_size();
    for (const Guarded& block : run_->input_gradients) keep(block, input_gradients_);
    for (size_t i = 0; i < values_.parameters.size() && !bench_->options().parameters_frozen; ++i) {
      PLAIT_ASSIGN(auto gradient, run_->parameter_gradient(i));
      parameter_gradients_.push_back(std::move(gradient));
    }
    return {};
  }
  Status outputs(std::vector<double>& all) {
    PLAIT_TRY(run_->prepare());
    PLAIT_TRY(run_->forward());
    size_t at = 0;
    for (size_t i = 0; i < run_->outputs.size(); ++i) {
      const uint64_t count = values_.output_gradients[i].size();
      for (uint64_t k = 0; k < count; ++k) all[at++] = run_->outputs[i].as<float>()[k];
    }
    return {};
  }
  // Values outside what moved are as they were drawn; buffers begin anew.
  Place input_place(size_t i, uint64_t place) {
    const float value = reinterpret_cast<const float*>(values_.inputs[i].data())[place];
    const Sizes& sizes = setting_.inputs;
    const double size =
        sizes.least > 0 ? std::max(std::abs(static_cast<double>(value)), sizes.least) : setting_.step;
    return {value,
            {size, setting_.input_terms(), setting_.reach(), result_},
            [this, i, place](float x, std::vector<double>& all) {
              run_->reset();
              run_->inputs[i].as<float>()[place] = x;
              return outputs(all);
            }};
  }
  Place parameter_place(size_t i, uint64_t place) {
    const float value = values_.parameters[i][place];
    const auto& sizes = setting_.parameters;
    const double size =
        sizes && sizes->least > 0 ? std::max(std::abs(static_cast<double>(value)), sizes->least) : 1;
    return {value,
            {size, setting_.parameter_terms(), setting_.reach(), result_},
            [this, i, place](float x, std::vector<double>& all) -> Status {
              run_->reset();
              std::vector<float> moved = values_.parameters[i];
              moved[place] = x;
              PLAIT_TRY(run_->set_parameter(i, moved));
              return outputs(all);
            }};
  }

  uint64_t place_to_try(uint64_t n, uint64_t size) {
    return n == 0 ? size - 1 : n == 1 ? 0 : trial_.dice().below(size);
  }

  template <class PlaceOf>
  Status check_tensor(const std::string& what, const std::vector<float>& gradient, PlaceOf place_of) {
    const uint64_t places = extent_of(trial_).places;
    const bool all = gradient.size() <= places;
    trial_.doing("gradient of " + what + ", " + made_.text());
    for (uint64_t n = 0; n < (all ? gradient.size() : places); ++n) {
      const uint64_t k = all ? n : place_to_try(n, gradient.size());
      const Place place = place_of(k);
      PLAIT_ASSIGN(const Derivative wanted,
                   derivative(place.evaluate, weights_, place.value, place.magnitude));
      if (!wanted.smooth) continue;
      ++compared_;
      if (wanted.agrees(gradient[k])) continue;
      return broken(
          fmt::format("the gradient of {}, element {}, is {:.6g}, but differences give {:.6g} +- {:.1g}",
                      what, k, gradient[k], wanted.value, wanted.tolerance));
    }
    return {};
  }

  Trial& trial_;
  const LayerCase& made_;
  const Setting& setting_;
  std::unique_ptr<LayerBench> bench_;
  LayerValues values_;
  std::unique_ptr<LayerRun> run_;
  std::vector<std::vector<float>> outputs_, input_gradients_, parameter_gradients_;
  std::vector<double> weights_;
  double result_ = 0;  // see Magnitude
  uint64_t compared_ = 0;
};

bool has_f32_outputs(const LayerCase& made) {
  for (const PartSpec& output : made.shapes.outputs)
    if (output.dtype != PLAIT_F32) return false;
  return true;
}

// Frozen parameters may change what a layer computes (a batch normalized by fixed statistics): differences
// tell whether its backward goes with it. Where nothing changes, they have been taken.
Status check_frozen(const GradientTrial& learning, uint64_t& compared) {
  PLAIT_ASSIGN(auto frozen, learning.frozen());
  if (frozen->has_same_bits(learning)) return {};
  PLAIT_TRY(frozen->check_inputs().at("parameters frozen"));
  compared += frozen->compared();
  return {};
}

Status check_gradients(Trial& trial, Status (GradientTrial::*check)()) {
  PLAIT_ASSIGN(auto cases, layer_cases(trial, extent_of(trial).cases));
  PLAIT_ASSIGN(LayerCase large, large_layer_case(trial));  // where kernels have blocks and tails
  cases.push_back(std::move(large));
  uint64_t compared = 0, freed = 0;
  // Two for each case, or so many that each is tried.
  const size_t settings = std::max<size_t>(2, (std::size(kSettings) - 1) / cases.size() + 1);
  for (size_t n = 0; n < cases.size(); ++n) {
    const LayerCase& made = cases[n];
    if (!has_f32_outputs(made)) continue;
    if (made.flags & PLAIT_VERIFY_SURROGATE_GRADIENT) {
      ++freed;
      continue;
    }
    for (size_t k = 0; k < settings; ++k) {
      const Setting& setting = kSettings[(settings * n + k) % std::size(kSettings)];
      PLAIT_ASSIGN(auto gradients, GradientTrial::create(trial, made, setting));
      PLAIT_TRY((gradients.get()->*check)().at(made.text()));
      compared += gradients->compared();
      if (check == &GradientTrial::check_inputs && !made.shapes.parameters.empty())
        PLAIT_TRY(check_frozen(*gradients, compared).at(made.text()));
    }
  }
  if (compared == 0 && freed > 0) return skipped("the layer says that its gradient is a surrogate");
  if (compared == 0) return skipped("nothing to compare: no gradients, or no smooth point");
  trial.remark(fmt::format("{} derivatives in {} cases", compared, cases.size()));
  return {};
}

// ---- the size of output gradients

// Powers of two: they change no digit of a product or a sum, unless it leaves the range of floats. Losses are
// scaled by large ones, and sums of many samples by small ones.
constexpr double kFactors[] = {-0x1p-40, 0x1p-10, -0x1p5, 0x1p15, 0x1p40};

Status proportional(const std::string& what, const Guarded& usual, const Guarded& scaled, double factor) {
  const auto *a = usual.as<float>(), *b = scaled.as<float>();
  const uint64_t count = usual.bytes() / sizeof(float);
  double most = 0;
  for (uint64_t k = 0; k < count; ++k) most = std::max(most, std::abs(static_cast<double>(a[k])));
  // Digits that are the same either way; what is left is terms below 2^-126, which are flushed to zero: of
  // gradients about 1, times 2^-40, those of 2^-86.
  const double tolerance = 0x1p-20 * most + 0x1p-60;
  for (uint64_t k = 0; k < count; ++k) {
    if (std::isnan(a[k]) && std::isnan(b[k])) continue;
    if (!(std::abs(b[k] / factor - a[k]) <= tolerance))
      return broken(
          fmt::format("{}, element {}, is {:.6g}, and {:.6g} when output gradients are {:.6g} times as "
                      "large: backward is not "
                      "linear in them",
                      what, k, a[k], b[k], factor));
  }
  return {};
}

Status check_factor(Trial& trial, const LayerBench& bench, const LayerValues& values, const LayerRun& usual,
                    double factor) {
  const LayerCase& made = bench.layer();
  LayerValues scaled = values;
  for (auto& gradient : scaled.output_gradients)
    for (float& value : gradient) value *= static_cast<float>(factor);
  PLAIT_ASSIGN(auto run, LayerRun::create(bench, scaled));
  trial.doing(fmt::format("backward of output gradients {:.6g} times as large, {}", factor, made.text()));
  PLAIT_TRY(run->all());
  for (size_t i = 0; i < made.inputs.size(); ++i)
    if (bench.options().gradient_needed[i])
      PLAIT_TRY(proportional(fmt::format("the gradient of input {}", i), usual.input_gradients[i],
                             run->input_gradients[i], factor));
  for (size_t i = 0; i < made.shapes.parameters.size(); ++i)
    PLAIT_TRY(proportional(fmt::format("the gradient of parameter \"{}\"", made.shapes.parameters[i].name),
                           usual.parameter_gradients[i], run->parameter_gradients[i], factor));
  return {};
}

Status gradient_scale(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, extent_of(trial).cases));
  uint64_t tried = 0;
  for (const LayerCase& made : cases) {
    if (!has_f32_outputs(made) || made.flags & PLAIT_VERIFY_SURROGATE_GRADIENT) continue;
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto usual, LayerRun::create(*bench, values));
    PLAIT_TRY(usual->all().at(made.text()));
    for (double factor : kFactors)
      PLAIT_TRY(check_factor(trial, *bench, values, *usual, factor).at(made.text()));
    ++tried;
  }
  if (tried == 0) return skipped("the layer says that its gradient is a surrogate, or has no outputs of f32");
  trial.remark(fmt::format("{} cases, {} factors", tried, std::size(kFactors)));
  return {};
}

Status input_gradient(Trial& trial) { return check_gradients(trial, &GradientTrial::check_inputs); }
Status parameter_gradient(Trial& trial) { return check_gradients(trial, &GradientTrial::check_parameters); }

}  // namespace

std::vector<Law> layer_gradient_laws() {
  return {
      {"layer", "input_gradient", Severity::kMust, "gradients of inputs are the derivatives of forward",
       input_gradient},
      {"layer", "parameter_gradient", Severity::kMust,
       "gradients of parameters are the derivatives of forward", parameter_gradient},
      {"layer", "gradient_scale", Severity::kMust,
       "gradients are proportional to those of outputs, large or small", gradient_scale},
  };
}

}  // namespace plait::inline verify
