// Laws of layers about gradients: backward is the derivative of forward.
#include <fmt/format.h>

#include <cmath>

#include "plan/shape_text.h"
#include "verify/derivative.h"
#include "verify/law.h"
#include "verify/layer_run.h"

namespace plait {
namespace {

constexpr size_t kCases = 24;
constexpr uint64_t kPlaces = 48;  // of a tensor, the ends and others drawn at random when it has more
// Of inputs: some functions have another form far from 0, or near it.
constexpr double kMost[] = {1, kManyScales, 6};

// One case: forward at values that differ in one place, against the gradients of one backward.
class GradientTrial {
 public:
  static Result<std::unique_ptr<GradientTrial>> create(Trial& trial, const LayerCase& made, double most) {
    std::unique_ptr<GradientTrial> t(new GradientTrial(trial, made, most));
    PLAIT_ASSIGN(t->bench_, LayerBench::create(trial, made));
    PLAIT_ASSIGN(t->values_, draw_values(trial, made, most));
    PLAIT_ASSIGN(t->run_, LayerRun::create(*t->bench_, t->values_));
    trial.doing("forward and backward, " + made.text());
    PLAIT_TRY(t->run_->all());
    PLAIT_TRY(t->keep_gradients());
    for (const auto& gradient : t->values_.output_gradients)
      t->weights_.insert(t->weights_.end(), gradient.begin(), gradient.end());
    return t;
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
  GradientTrial(Trial& trial, const LayerCase& made, double most) : trial_(trial), made_(made), most_(most) {}

  // The differences overwrite the run's memory.
  Status keep_gradients() {
    for (const Guarded& block : run_->input_gradients)
      input_gradients_.emplace_back(block.as<float>(), block.as<float>() + block.bytes() / sizeof(float));
    for (size_t i = 0; i < values_.parameters.size(); ++i) {
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
    const double size = most_ == kManyScales ? std::max(std::abs(static_cast<double>(value)), 0x1p-7) : 1;
    return {value, {size, 1, reach()}, [this, i, place](float x, std::vector<double>& all) {
              run_->reset();
              run_->inputs[i].as<float>()[place] = x;
              return outputs(all);
            }};
  }
  Place parameter_place(size_t i, uint64_t place) {
    const double terms = most_ == kManyScales ? 0x1p13 : most_;
    return {values_.parameters[i][place],
            {1, terms, reach()},
            [this, i, place](float x, std::vector<double>& all) -> Status {
              run_->reset();
              std::vector<float> moved = values_.parameters[i];
              moved[place] = x;
              PLAIT_TRY(run_->set_parameter(i, moved));
              return outputs(all);
            }};
  }

  // Small numbers beside large ones are rounded away.
  double reach() const { return most_ == kManyScales ? 0x1p13 : 0; }

  uint64_t place_to_try(uint64_t n, uint64_t size) {
    return n == 0 ? size - 1 : n == 1 ? 0 : trial_.dice().below(size);
  }

  template <class PlaceOf>
  Status check_tensor(const std::string& what, const std::vector<float>& gradient, PlaceOf place_of) {
    const bool all = gradient.size() <= kPlaces;
    trial_.doing("gradient of " + what + ", " + made_.text());
    for (uint64_t n = 0; n < (all ? gradient.size() : kPlaces); ++n) {
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
  const double most_;
  std::unique_ptr<LayerBench> bench_;
  LayerValues values_;
  std::unique_ptr<LayerRun> run_;
  std::vector<std::vector<float>> input_gradients_, parameter_gradients_;
  std::vector<double> weights_;
  uint64_t compared_ = 0;
};

bool has_f32_outputs(const LayerCase& made) {
  for (const PartSpec& output : made.shapes.outputs)
    if (output.dtype != PLAIT_F32) return false;
  return true;
}

Status check_gradients(Trial& trial, Status (GradientTrial::*check)()) {
  PLAIT_ASSIGN(auto cases, layer_cases(trial, kCases));
  PLAIT_ASSIGN(LayerCase large, large_layer_case(trial));  // where kernels have blocks and tails
  cases.push_back(std::move(large));
  uint64_t compared = 0, freed = 0;
  for (size_t n = 0; n < cases.size(); ++n) {
    const LayerCase& made = cases[n];
    if (!has_f32_outputs(made)) continue;
    if (made.flags & PLAIT_VERIFY_SURROGATE_GRADIENT) {
      ++freed;
      continue;
    }
    for (double most : {kMost[n % std::size(kMost)], kMost[(n + 1) % std::size(kMost)]}) {
      PLAIT_ASSIGN(auto gradients, GradientTrial::create(trial, made, most));
      PLAIT_TRY((gradients.get()->*check)().at(made.text()));
      compared += gradients->compared();
    }
  }
  if (compared == 0 && freed > 0) return skipped("the layer says that its gradient is a surrogate");
  if (compared == 0) return skipped("nothing to compare: no gradients, or no smooth point");
  trial.remark(fmt::format("{} derivatives in {} cases", compared, cases.size()));
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
  };
}

}  // namespace plait
