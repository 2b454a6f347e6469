#include "verify/benches/layer_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "registry/shape_text.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

using Shape = std::vector<int64_t>;

const std::vector<Shape> kShapes = {{2, 5},       {3, 7, 4},    {2, 5, 6, 3},   {1, 3},          {4, 9, 2},
                                    {1, 7, 7, 1}, {5, 16},      {2, 8, 8, 4},   {2, 4, 5, 3, 2}, {1, 1},
                                    {1, 4, 1},    {3, 9, 5, 2}, {2, 16, 16, 3}, {2, 12, 8}};
const std::vector<Shape> kLargeShapes = {{64, 512}, {8, 40, 64}, {4, 32, 32, 8}, {2, 8, 16, 16, 8}};

constexpr uint64_t kMostElements = 1 << 18;  // of an output or parameter: a test runs thousands of calls

bool is_small(const InferredLayer& shapes) {
  for (const PartSpec& output : shapes.outputs)
    if (element_count(output.shape) > kMostElements) return false;
  for (const ParameterInfo& parameter : shapes.parameters)
    if (parameter.elements > kMostElements) return false;
  return true;
}

bool is_whole(uint32_t dtype) { return dtype == PLAIT_I32 || dtype == PLAIT_I64 || dtype == PLAIT_U8; }

void fill_whole(uint32_t dtype, int64_t value, std::vector<uint8_t>& bytes) {
  const size_t each = dtype_bytes(dtype);  // little-endian: the low bytes come first
  for (size_t at = 0; at + each <= bytes.size(); at += each) std::memcpy(&bytes[at], &value, each);
}

// Other extents of the last axis, or a lower rank, for the further inputs of a layer.
std::vector<PartSpec> inputs_of(const Shape& shape, uint32_t dtype, uint32_t count, uint64_t variant) {
  std::vector<PartSpec> inputs(count, PartSpec{"", dtype, shape, -1});
  for (uint32_t i = 1; i < count; ++i) {
    Shape& other = inputs[i].shape;
    if (variant == 1) other.back() += i;
    if (variant == 2) other = {shape.front(), shape.back()};
    if (variant == 3) other = {shape.front(), 1};
  }
  return inputs;
}

class Finder {
 public:
  Finder(Trial& trial, const std::vector<Shape>& shapes, size_t count, bool must_create = true)
      : trial_(trial),
        shapes_(shapes),
        count_(count),
        must_create_(must_create),
        sampler_(trial.registry(), trial.dice()) {}

  Result<std::vector<LayerCase>> find() {
    PLAIT_ASSIGN(examples_, trial_.examples());
    for (const Example& example : examples_) {
      of_example_ = &example;
      if (example.inputs.empty()) {
        try_shapes(example.config, found_.size() + 4);
      } else if (!try_inputs(case_of(example.config), example.inputs)) {
        return {Code::kInvalid, "the layer refuses the inputs of its own example: " + refusal_};
      }
    }
    of_example_ = nullptr;
    if (auto config = sampler_.plain(trial_.type())) try_shapes(config, count_ - count_ / 3);
    for (int i = 0; i < kDraws && found_.size() < count_; ++i) {
      const auto config = sampler_.random(trial_.type());
      if (config != nullptr) try_shapes(config, found_.size() + 2);
    }
    if (found_.empty()) {
      return skipped("no configuration and inputs found that the layer accepts" +
                     (refusal_.empty() ? "" : " (it last said: " + refusal_ + ")") +
                     "; give an example (plait/verify.h)");
    }
    return std::move(found_);
  }

 private:
  static constexpr int kDraws = 120;

  LayerCase case_of(std::shared_ptr<plait_config> config) const {
    LayerCase made;
    made.spec.name = "layer";
    made.spec.plugin.entry = &trial_.entry();
    made.spec.plugin.config = std::move(config);
    return made;
  }

  void try_shapes(const std::shared_ptr<plait_config>& config, size_t until) {
    const auto& rules = trial_.rules<plait_layer_rules>();
    const uint32_t first = std::max<uint32_t>(rules.min_inputs, 1);
    const uint32_t most = std::min(rules.max_inputs, first + 1);
    for (const Shape& shape : shapes_) {
      for (uint32_t dtype : {PLAIT_F32, PLAIT_I32}) {
        for (uint32_t count = first; count <= most; ++count) {
          for (uint64_t variant = 0; variant < (count > 1 ? 4u : 1u); ++variant) {
            if (found_.size() >= std::min(until, count_)) return;
            if (try_inputs(case_of(config), inputs_of(shape, dtype, count, variant))) break;
          }
        }
        if (!found_.empty() && found_.back().inputs[0].shape == shape) break;  // f32 is taken: no integers
      }
    }
  }

  bool try_inputs(LayerCase made, std::vector<PartSpec> inputs) {
    trial_.doing("infer for " + config_text(made.config()));
    auto shapes = infer_layer(made.spec, inputs);
    if (!shapes) {
      refusal_ = shapes.status().message();
      return false;
    }
    if (!is_small(*shapes)) return false;
    made.flags = of_example_ != nullptr ? of_example_->flags : flags_of(examples_, made.config(), inputs);
    made.integer_bound = bound_for(made.flags, inputs);
    made.inputs = std::move(inputs);
    made.shapes = std::move(*shapes);
    if (must_create_) {
      if (const Status status = LayerBench::create(trial_, made).status(); !status) {
        refusal_ = status.message();
        return false;
      }
    }
    if (must_create_ && !takes_its_numbers(made)) return false;
    found_.push_back(std::move(made));
    return true;
  }

  uint32_t bound_for(uint32_t flags, const std::vector<PartSpec>& inputs) const {
    if (of_example_ != nullptr && of_example_->integer_bound > 0) return of_example_->integer_bound;
    if (flags & PLAIT_VERIFY_LABELS)
      return static_cast<uint32_t>(std::max<int64_t>(inputs.front().shape.back(), 1));
    return 2;
  }

  // Whole numbers without a declared range are guessed: 0 and 1, or 0 alone where forward refuses 1.
  bool takes_its_numbers(LayerCase& made) {
    bool guesses = false;
    for (size_t i = 0; i < made.inputs.size(); ++i)
      guesses = guesses || (is_whole(made.inputs[i].dtype) && made.range(i) == nullptr);
    for (; guesses; made.integer_bound = 1) {
      const Status status = evaluates(made);
      if (!is_refusal(status)) return true;  // what else is wrong is for the laws
      refusal_ = status.message();
      if (made.integer_bound == 1 || of_example_ != nullptr) return false;
    }
    return true;
  }

  Status evaluates(const LayerCase& made) {
    BenchOptions options;
    options.training = false;
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial_, made, options));
    PLAIT_ASSIGN(LayerValues values, draw_values(trial_, made));
    for (size_t i = 0; i < made.inputs.size(); ++i)
      if (is_whole(made.inputs[i].dtype) && made.range(i) == nullptr)
        fill_whole(made.inputs[i].dtype, made.integer_bound - 1, values.inputs[i]);
    LayerRunOptions run;
    run.training = false;
    PLAIT_ASSIGN(auto at_work, LayerRun::create(*bench, values, run));
    return at_work->all();
  }

  Trial& trial_;
  const std::vector<Shape>& shapes_;
  const size_t count_;
  const bool must_create_;
  ConfigSampler sampler_;
  std::vector<Example> examples_;
  const Example* of_example_ = nullptr;  // whose case is being made; null: a guess
  std::vector<LayerCase> found_;
  std::string refusal_;
};

}  // namespace

std::string LayerCase::text() const {
  std::string text = config_text(config());
  for (const PartSpec& input : inputs) text += ", " + shape_text(input);
  return text;
}

const InputRange* LayerCase::range(size_t input) const {
  for (const InputRange& one : shapes.input_ranges)
    if (one.input == input) return &one;
  return nullptr;
}

Result<LayerCase> LayerCase::with_inputs(std::vector<PartSpec> other) const {
  LayerCase made = *this;
  PLAIT_ASSIGN(made.shapes, infer_layer(made.spec, other));
  made.inputs = std::move(other);
  return made;
}

Result<LayerCase> LayerCase::with_batch(int64_t batch) const {
  std::vector<PartSpec> other = inputs;
  for (PartSpec& input : other) input.shape.front() = batch;
  return with_inputs(std::move(other));
}

Result<std::vector<LayerCase>> layer_cases(Trial& trial, size_t count) {
  return Finder(trial, kShapes, count).find();
}

Result<std::vector<LayerCase>> inferred_layer_cases(Trial& trial, size_t count) {
  return Finder(trial, kShapes, count, false).find();
}

Result<LayerCase> large_layer_case(Trial& trial) {
  auto cases = Finder(trial, kLargeShapes, 1).find();
  if (!cases) cases = Finder(trial, kShapes, 1).find();
  if (!cases) return cases.status();
  const auto size = [](const LayerCase& made) { return element_count(made.inputs.front().shape); };
  return std::move(*std::ranges::max_element(*cases, {}, size));  // examples may be small
}

}  // namespace plait::inline verify
