// Laws about large shapes, beyond 2^16 elements, where every place is looked at: counts that are too narrow,
// blocks and tails of kernels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/benches/loss_bench.h"
#include "verify/engine/derivative.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

constexpr uint64_t kLarge = 1 << 16;
constexpr int64_t kSlice = 61;  // samples at a time, of the large batch

// A slice may be summed in another order, or by another kernel.
bool near(double a, double b, double scale) { return std::abs(a - b) <= 5e-5 * (scale + std::abs(a)); }

double largest(const float* values, uint64_t count) {
  double most = 0;
  for (uint64_t k = 0; k < count; ++k) most = std::max(most, std::abs(static_cast<double>(values[k])));
  return most;
}

// `part` are the numbers of `whole` from place `first` on.
Status same_numbers(const std::string& what, const Guarded& whole, uint64_t first, const Guarded& part,
                    double scale) {
  for (uint64_t k = 0; k < part.bytes() / sizeof(float); ++k) {
    const double large = whole.as<float>()[first + k], small = part.as<float>()[k];
    if (!near(large, small, scale) && !(std::isnan(large) && std::isnan(small)))
      return broken(fmt::format("{}, element {} of {}, is {:.6g} in the large tensor, {:.6g} in a small one",
                                what, first + k, whole.bytes() / sizeof(float), large, small));
  }
  return {};
}

bool splits(const LayerCase& made) {
  const auto has_batch = [&](const PartSpec& spec) {
    return !spec.shape.empty() && spec.shape[0] == made.inputs[0].shape[0];
  };
  return std::ranges::all_of(made.inputs, has_batch) && std::ranges::all_of(made.shapes.outputs, has_batch);
}

// The case with so many samples that input 0 is large.
Result<LayerCase> with_large_batch(const LayerCase& made) {
  const auto each = static_cast<int64_t>(element_count(made.inputs[0].shape)) / made.inputs[0].shape[0];
  return made.with_batch(static_cast<int64_t>(kLarge) / std::max<int64_t>(each, 1) + kSlice / 2);
}

LayerValues samples_of(const LayerCase& made, const LayerValues& values, int64_t begin, int64_t end) {
  LayerValues part = values;
  const auto batch = static_cast<size_t>(made.inputs[0].shape[0]);
  const auto cut = [&](auto& all) {
    const auto each = static_cast<int64_t>(all.size() / batch);
    all = {all.begin() + begin * each, all.begin() + end * each};
  };
  for (auto& input : part.inputs) cut(input);
  for (auto& gradient : part.output_gradients) cut(gradient);
  return part;
}

// A large batch beside slices of it: outputs and gradients of inputs place by place, gradients of parameters
// as sums.
class LargeBatch {
 public:
  static Status check(Trial& trial, const LayerCase& large, bool training) {
    LargeBatch batch(trial, large, training);
    PLAIT_TRY(batch.run());
    const int64_t samples = large.inputs[0].shape[0];
    for (int64_t begin = 0; begin < samples; begin += kSlice)
      PLAIT_TRY(batch.check_slice(begin, std::min(begin + kSlice, samples)));
    return batch.check_sums();
  }

 private:
  LargeBatch(Trial& trial, const LayerCase& large, bool training)
      : trial_(trial), large_(large), training_(training) {}

  Status run() {
    PLAIT_ASSIGN(values_, draw_values(trial_, large_));
    PLAIT_ASSIGN(bench_, make_bench(large_));
    PLAIT_ASSIGN(whole_, make_run(*bench_, values_));
    trial_.doing("a large batch, " + large_.text());
    PLAIT_TRY(whole_->all());
    PLAIT_TRY(whole_->check_memory());
    for (const ParameterInfo& parameter : large_.shapes.parameters) sums_.emplace_back(parameter.elements);
    return {};
  }

  Result<std::unique_ptr<LayerBench>> make_bench(const LayerCase& made) {
    BenchOptions options;
    options.training = training_;
    return LayerBench::create(trial_, made, options);
  }
  Result<std::unique_ptr<LayerRun>> make_run(const LayerBench& bench, const LayerValues& values) {
    LayerRunOptions options;
    options.training = training_;
    return LayerRun::create(bench, values, options);
  }

  Status check_slice(int64_t begin, int64_t end) {
    if (slice_bench_ == nullptr || end - begin != slice_samples_) {
      PLAIT_ASSIGN(const LayerCase slice, large_.with_batch(end - begin));
      PLAIT_ASSIGN(slice_bench_, make_bench(slice));
      slice_samples_ = end - begin;
    }
    PLAIT_ASSIGN(auto run, make_run(*slice_bench_, samples_of(large_, values_, begin, end)));
    trial_.doing(fmt::format("samples {} to {} of a large batch, {}", begin, end, large_.text()));
    PLAIT_TRY(run->all());
    for (size_t i = 0; i < run->outputs.size(); ++i)
      if (large_.shapes.outputs[i].dtype == PLAIT_F32)
        PLAIT_TRY(compare(fmt::format("output {}", i), whole_->outputs[i], run->outputs[i], begin));
    if (!training_) return {};
    for (size_t i = 0; i < run->input_gradients.size(); ++i)
      if (bench_->options().gradient_needed[i])
        PLAIT_TRY(compare(fmt::format("gradient of input {}", i), whole_->input_gradients[i],
                          run->input_gradients[i], begin));
    return add(*run);
  }
  Status compare(const std::string& what, const Guarded& whole, const Guarded& part, int64_t begin) {
    const uint64_t all = whole.bytes() / sizeof(float);
    const uint64_t each = all / static_cast<uint64_t>(large_.inputs[0].shape[0]);
    return same_numbers(what, whole, static_cast<uint64_t>(begin) * each, part,
                        largest(part.as<float>(), part.bytes() / sizeof(float)));
  }
  Status add(LayerRun& run) {
    for (size_t i = 0; i < sums_.size(); ++i) {
      PLAIT_ASSIGN(const auto gradient, run.parameter_gradient(i));
      for (size_t k = 0; k < gradient.size(); ++k) sums_[i][k] += gradient[k];
    }
    return {};
  }
  Status check_sums() {
    for (size_t i = 0; training_ && i < sums_.size(); ++i) {
      PLAIT_ASSIGN(const auto whole, whole_->parameter_gradient(i));
      // Sums of thousands of terms, of either sign, in f32: off by their square root times a unit.
      const double scale = 40 * largest(whole.data(), whole.size());
      for (size_t k = 0; k < whole.size(); ++k)
        if (!near(whole[k], sums_[i][k], scale))
          return broken(
              fmt::format("the gradient of parameter \"{}\", element {}, is {:.6g} for the large "
                          "batch; its slices sum to {:.6g}",
                          large_.shapes.parameters[i].name, k, whole[k], sums_[i][k]));
    }
    return {};
  }

  Trial& trial_;
  const LayerCase& large_;
  const bool training_;
  LayerValues values_;
  std::unique_ptr<LayerBench> bench_, slice_bench_;
  std::unique_ptr<LayerRun> whole_;
  int64_t slice_samples_ = 0;
  std::vector<std::vector<double>> sums_;
};

Result<bool> draws_at_random(Trial& trial, const LayerCase& made) {
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
  return is_random(trial, *bench, values);
}

Status large_batches(Trial& trial) {
  constexpr size_t kMost = 5;
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 16));
  size_t tried = 0;
  for (const LayerCase& made : cases) {
    if (tried == kMost) break;
    if (!splits(made)) continue;
    const auto large = with_large_batch(made);
    if (!large || !splits(*large)) continue;
    if (!(made.flags & PLAIT_VERIFY_COUPLES_SAMPLES)) {
      PLAIT_TRY(LargeBatch::check(trial, *large, false).at("evaluation, " + large->text()));
      ++tried;
    }
    if (made.flags & (PLAIT_VERIFY_COUPLES_SAMPLES | PLAIT_VERIFY_COUPLES_IN_TRAINING)) continue;
    PLAIT_ASSIGN(const bool random, draws_at_random(trial, made));
    if (!random) PLAIT_TRY(LargeBatch::check(trial, *large, true).at("training, " + large->text()));
  }
  if (tried == 0) return skipped("no case whose batch can be parted");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

// ---- large samples

const std::vector<std::vector<int64_t>> kSamples = {
    {1, 70'001}, {3, 4'099}, {2, 300, 130}, {1, 160, 140, 3}, {1, 9, 30, 31, 9}};

constexpr int64_t kRow = 70'001, kPiece = 3 * kSlice;

// Every input of that shape, else as they are.
std::vector<PartSpec> inputs_of(const LayerCase& made, const std::vector<int64_t>& shape) {
  std::vector<PartSpec> inputs = made.inputs;
  for (PartSpec& input : inputs) input.shape = shape, input.variable_axis = input.second_axis = -1;
  return inputs;
}

// With inputs of one shape, where the output has it too and there is nothing to train; else null.
std::unique_ptr<LayerCase> shaped(const LayerCase& made, const std::vector<int64_t>& shape) {
  auto other = made.with_inputs(inputs_of(made, shape));
  if (!other || !other->shapes.parameters.empty() || !other->shapes.buffers.empty()) return nullptr;
  if (other->shapes.outputs.size() != 1 || other->shapes.outputs[0].shape != other->inputs[0].shape)
    return nullptr;
  return std::make_unique<LayerCase>(std::move(*other));
}

// The numbers of one row, as LayerValues, from `begin` on.
LayerValues piece_of(const LayerValues& values, int64_t begin) {
  LayerValues piece = values;
  for (auto& x : piece.inputs) x = {x.begin() + 4 * begin, x.begin() + 4 * (begin + kPiece)};
  auto& dy = piece.output_gradients[0];
  dy = {dy.begin() + begin, dy.begin() + begin + kPiece};
  return piece;
}

// An elementwise layer does not tell many rows from one of the same numbers.
Result<bool> is_elementwise(Trial& trial, const LayerCase& rows, const LayerBench& row) {
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, rows));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, rows));
  PLAIT_ASSIGN(const bool random, is_random(trial, *bench, values));
  if (random) return false;
  PLAIT_ASSIGN(auto first, LayerRun::create(*bench, values));
  PLAIT_ASSIGN(auto second, LayerRun::create(row, values));
  PLAIT_TRY(first->all());
  PLAIT_TRY(second->all());
  return first->difference(*second).empty();
}

// A long row of an elementwise layer beside its pieces.
Status check_rows(Trial& trial, const LayerCase& made, uint64_t& tried) {
  const auto rows = shaped(made, {kSlice, 3}), row = shaped(made, {1, kPiece}),
             whole = shaped(made, {1, kRow});
  if (rows == nullptr || row == nullptr || whole == nullptr) return {};
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, *row));
  PLAIT_ASSIGN(const bool elementwise, is_elementwise(trial, *rows, *bench));
  if (!elementwise) return {};
  ++tried;
  PLAIT_ASSIGN(auto whole_bench, LayerBench::create(trial, *whole));
  PLAIT_ASSIGN(const LayerValues values, draw_values(trial, *whole));
  PLAIT_ASSIGN(auto large, LayerRun::create(*whole_bench, values));
  trial.doing("a long row, " + whole->text());
  PLAIT_TRY(large->all());
  for (int64_t next = 0; next < kRow; next += kPiece) {
    const int64_t begin = std::min(next, kRow - kPiece);
    PLAIT_ASSIGN(auto run, LayerRun::create(*bench, piece_of(values, begin)));
    PLAIT_TRY(run->all());
    const auto first = static_cast<uint64_t>(begin);
    PLAIT_TRY(same_numbers("output 0", large->outputs[0], first, run->outputs[0], 1));
    for (size_t i = 0; i < made.inputs.size(); ++i)
      PLAIT_TRY(same_numbers(fmt::format("gradient of input {}", i), large->input_gradients[i], first,
                             run->input_gradients[i], 1));
  }
  return {};
}

// Differences of every input and parameter at places on both sides of 2^16, at both ends and between, in few
// samples of many numbers.
class LargeSample {
 public:
  static Status check(Trial& trial, const LayerCase& made, uint64_t& compared) {
    LargeSample sample(trial, made, compared);
    PLAIT_ASSIGN(sample.bench_, LayerBench::create(trial, made));
    PLAIT_ASSIGN(sample.values_, draw_values(trial, made));
    PLAIT_ASSIGN(sample.run_, LayerRun::create(*sample.bench_, sample.values_));
    for (const auto& output : sample.values_.output_gradients)
      sample.weights_.insert(sample.weights_.end(), output.begin(), output.end());
    trial.doing("a large sample, " + made.text());
    PLAIT_TRY(sample.run_->all());
    for (const Guarded& output : sample.run_->outputs)
      sample.result_ = std::max(sample.result_, largest(output.as<float>(), output.bytes() / sizeof(float)));
    PLAIT_TRY(sample.keep_gradients());
    PLAIT_TRY(sample.check_inputs());
    return sample.check_parameters();
  }

 private:
  LargeSample(Trial& trial, const LayerCase& made, uint64_t& compared)
      : trial_(trial), made_(made), compared_(compared) {}

  // Differences overwrite them.
  Status keep_gradients() {
    for (const Guarded& block : run_->input_gradients)
      inputs_.emplace_back(block.as<float>(), block.as<float>() + block.bytes() / sizeof(float));
    for (size_t i = 0; i < values_.parameters.size(); ++i) {
      PLAIT_ASSIGN(auto gradient, run_->parameter_gradient(i));
      parameters_.push_back(std::move(gradient));
    }
    return {};
  }

  Status check_inputs() {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!bench_->options().gradient_needed[i]) continue;
      const auto* x = reinterpret_cast<const float*>(values_.inputs[i].data());
      PLAIT_TRY(check_tensor(fmt::format("input {}", i), x, inputs_[i], [&](uint64_t place, float value) {
        run_->reset();
        run_->inputs[i].as<float>()[place] = value;
        return Status();
      }));
    }
    return {};
  }
  Status check_parameters() {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const std::string name = fmt::format("parameter \"{}\"", made_.shapes.parameters[i].name);
      std::vector<float> moved = values_.parameters[i];
      PLAIT_TRY(
          check_tensor(name, values_.parameters[i].data(), parameters_[i], [&](uint64_t place, float value) {
            run_->reset();
            moved[place] = value;
            const Status status = run_->set_parameter(i, moved);
            moved[place] = values_.parameters[i][place];
            return status;
          }));
      PLAIT_TRY(run_->set_parameter(i, values_.parameters[i]));
    }
    return {};
  }

  std::vector<uint64_t> places(uint64_t count) {
    if (count == 0) return {};
    std::vector<uint64_t> all = {0, count - 1};
    for (uint64_t place : {kLarge - 1, kLarge, kLarge + 1}) all.push_back(place);
    for (int i = 0; i < 2; ++i) {
      all.push_back(trial_.dice().below(count));
      all.push_back(std::min(count, kLarge) + trial_.dice().below(count - std::min(count, kLarge)));
    }
    for (uint64_t& place : all) place = std::min(place, count - 1);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  // `move` puts a value at a place, and all else as it was drawn.
  template <class Move>
  Status check_tensor(const std::string& what, const float* values, const std::vector<float>& gradient,
                      Move move) {
    trial_.doing("gradient of " + what + ", " + made_.text());
    for (uint64_t place : places(gradient.size())) {
      const Evaluate evaluate = [&](float x, std::vector<double>& outputs) -> Status {
        PLAIT_TRY(move(place, x));
        return outputs_of(outputs);
      };
      PLAIT_ASSIGN(const Derivative wanted,
                   derivative(evaluate, weights_, values[place], {1, 1, 0, result_}));
      if (!wanted.smooth) continue;
      ++compared_;
      if (wanted.agrees(gradient[place])) continue;
      return broken(fmt::format(
          "the gradient of {}, element {} of {}, is {:.6g}, but differences give {:.6g} +- {:.1g}", what,
          place, gradient.size(), gradient[place], wanted.value, wanted.tolerance));
    }
    return {};
  }
  Status outputs_of(std::vector<double>& outputs) {
    PLAIT_TRY(run_->prepare());
    PLAIT_TRY(run_->forward());
    size_t at = 0;
    for (const Guarded& block : run_->outputs)
      for (uint64_t k = 0; k < block.bytes() / sizeof(float); ++k) outputs[at++] = block.as<float>()[k];
    return {};
  }

  Trial& trial_;
  const LayerCase& made_;
  uint64_t& compared_;
  std::unique_ptr<LayerBench> bench_;
  LayerValues values_;
  std::unique_ptr<LayerRun> run_;
  std::vector<double> weights_;
  double result_ = 0;  // the largest output: others are small because their terms cancel
  std::vector<std::vector<float>> inputs_, parameters_;
};

bool has_f32_outputs(const LayerCase& made) {
  return std::ranges::all_of(made.shapes.outputs,
                             [](const PartSpec& spec) { return spec.dtype == PLAIT_F32; });
}
bool has_f32_inputs(const LayerCase& made) {
  for (size_t i = 0; i < made.inputs.size(); ++i)
    if (made.inputs[i].dtype != PLAIT_F32 || made.range(i) != nullptr) return false;
  return true;
}

uint64_t parameters_of(const LayerCase& made) {
  uint64_t sum = 0;
  for (const ParameterInfo& parameter : made.shapes.parameters) sum += parameter.elements;
  return sum;
}

// The first usual configuration with large extents.
Status large_samples(Trial& trial) {
  constexpr uint64_t kMostParameters = 1 << 19, kMostOutputs = 1 << 20;
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 2));
  uint64_t rows = 0, compared = 0, tried = 0;
  for (const LayerCase& made : cases) {
    if (!has_f32_outputs(made)) continue;
    if (has_f32_inputs(made)) PLAIT_TRY(check_rows(trial, made, rows).at(made.text()));
    if (made.flags & PLAIT_VERIFY_SURROGATE_GRADIENT) continue;
    for (const auto& shape : kSamples) {
      const auto large = made.with_inputs(inputs_of(made, shape));
      if (!large || !has_f32_outputs(*large) || parameters_of(*large) > kMostParameters) continue;
      if (large->shapes.outputs.empty() || element_count(large->shapes.outputs[0].shape) > kMostOutputs)
        continue;
      if (!LayerBench::create(trial, *large)) continue;
      PLAIT_TRY(LargeSample::check(trial, *large, compared).at(large->text()));
      ++tried;
      break;
    }
  }
  if (rows + tried == 0) return skipped("the layer accepts no large sample that can be guessed");
  trial.remark(fmt::format("{} rows place by place, {} derivatives in {} samples", rows, compared, tried));
  return {};
}

// ---- losses

Result<LossCase> with_samples(const LossCase& made, int64_t samples) {
  LossCase other = made;
  for (auto* const list : {&other.predictions, &other.targets}) {
    for (PartSpec& part : *list) {
      if (part.shape.empty() || part.shape[0] != made.samples()) return skipped("its batch cannot be parted");
      part.shape[0] = samples;
    }
  }
  return other;
}

// A batch beside slices of it: gradients place by place, sums as sums.
class LossBatch {
 public:
  static Status check(Trial& trial, const LossCase& made, int64_t samples) {
    PLAIT_ASSIGN(const LossCase large, with_samples(made, samples));
    PLAIT_ASSIGN(auto bench, LossBench::create(trial, large));
    LossBatch batch(trial, made, *bench);
    trial.doing("a large batch, " + large.text());
    PLAIT_TRY(batch.whole_.compute());
    if (batch.whole_.bad_target() >= 0) return {};
    for (int64_t begin = 0; begin < samples; begin += kSlice)
      PLAIT_TRY(batch.check_slice(begin, std::min(begin + kSlice, samples)));
    return batch.check_sums();
  }

 private:
  LossBatch(Trial& trial, const LossCase& made, const LossBench& bench)
      : trial_(trial), made_(made), whole_(bench, trial.dice()) {}

  Status check_slice(int64_t begin, int64_t end) {
    if (bench_ == nullptr || end - begin != kSlice) {
      PLAIT_ASSIGN(const LossCase slice, with_samples(made_, end - begin));
      PLAIT_ASSIGN(bench_, LossBench::create(trial_, slice));
    }
    LossRun part(*bench_, trial_.dice());
    const auto cut = [&](const SampleTensor& from, SampleTensor& to) {
      const uint64_t bytes = to.memory().bytes(), each = bytes / static_cast<uint64_t>(end - begin);
      to.memory().write(from.memory().as<uint8_t>() + static_cast<uint64_t>(begin) * each, bytes);
    };
    const std::vector<LossRun::Named> from = whole_.read(), to = part.read();
    for (size_t i = 0; i < to.size(); ++i) cut(*from[i].tensor, *to[i].tensor);
    PLAIT_TRY(part.compute());
    sum_ += part.sum(), count_ += part.count();
    const double share = part.count() / whole_.count();
    const auto samples = static_cast<uint64_t>(end - begin);
    for (size_t i = 0; i < part.gradients.size(); ++i) {
      const SampleTensor& gradient = *part.gradients[i];
      const uint64_t first = static_cast<uint64_t>(begin) * (gradient.elements() / samples);
      PLAIT_TRY(compare(part.read()[i].name, *whole_.gradients[i], gradient, first, share));
    }
    return {};
  }
  // Both are gradients of means.
  static Status compare(const std::string& of, const SampleTensor& whole, const SampleTensor& part,
                        uint64_t first, double share) {
    for (uint64_t k = 0; k < part.elements(); ++k) {
      const double got = whole.get(first + k), wanted = share * part.get(k);
      if (!(std::abs(got - wanted) <= 1e-5 * std::abs(wanted) + 1e-9))
        return broken(
            fmt::format("the gradient of {} element {} is {:.8g} in the large batch, {:.8g} by a slice of it",
                        of, first + k, got, wanted));
    }
    return {};
  }
  // Whole numbers are counted; weights are summed in another order.
  Status check_sums() {
    const double apart = made_.weighted ? 1e-9 * count_ : 0;
    if (std::abs(count_ - whole_.count()) <= apart &&
        std::abs(sum_ - whole_.sum()) <= 1e-6 * std::abs(sum_) + 1e-9)
      return {};
    return broken(
        fmt::format("the sum over the large batch is {:.8g} of {}; slices of it sum to {:.8g} of {}",
                    whole_.sum(), whole_.count(), sum_, count_));
  }

  Trial& trial_;
  const LossCase& made_;
  LossRun whole_;
  std::unique_ptr<LossBench> bench_;
  double sum_ = 0, count_ = 0;
};

// Skipped where samples see each other in small batches already.
Status check_large_loss(Trial& trial, const LossCase& made) {
  const auto batch = std::max<int64_t>(made.samples(), 1);
  const int64_t each = static_cast<int64_t>(element_count(made.prediction().shape)) / batch;
  if (!LossBatch::check(trial, made, 2 * kSlice)) return skipped("samples of a batch see each other");
  return LossBatch::check(trial, made,
                          static_cast<int64_t>(kLarge) / std::max<int64_t>(each, 1) + kSlice / 2);
}

Status large_loss(Trial& trial) {
  constexpr size_t kMost = 4;  // the first cases differ in the type of their targets
  PLAIT_ASSIGN(const auto cases, loss_cases(trial));
  size_t tried = 0;
  for (const LossCase& made : cases) {
    if (tried == kMost) break;
    const Status status = check_large_loss(trial, made);
    if (is_skipped(status)) continue;
    PLAIT_TRY(status.at(made.text()));
    ++tried;
  }
  if (tried == 0) return skipped("no case whose batch can be parted");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> large_laws() {
  constexpr Severity kMust = Severity::kMust;
  return {
      {"layer", "large_batches", kMust,
       "a batch of more than 2^16 numbers gives at every place what small batches give", large_batches},
      {"layer", "large_samples", kMust, "a sample of more than 2^16 numbers is right at every place",
       large_samples},
      {"loss", "large", kMust, "a batch of more than 2^16 numbers gives at every place what small ones give",
       large_loss},
  };
}

}  // namespace plait::inline verify
