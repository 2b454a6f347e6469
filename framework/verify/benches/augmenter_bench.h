// Augmenters at work: an instance for the parts that it is tried on, and the samples of its calls.
#pragma once
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "registry/shape_text.h"
#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

using Parts = std::vector<PartSpec>;

// Bytes that apply wants (batch 0), or apply_batch on `batch` samples. Fails with: what the plugin reports.
Result<uint64_t> augmenter_workspace(const Instance& augmenter, int64_t batch);

struct AugmenterBench {
  std::shared_ptr<plait_config> config;
  Parts in, out;
  Instance instance;
  uint32_t bound = 2;      // of whole numbers that are no pictures
  uint64_t workspace = 0;  // bytes that apply wants
  std::string text() const {
    std::string text = config_text(*config);
    for (const PartSpec& part : in) text += ", " + part_text(part);
    return text;
  }
  const plait_augmenter_ops& ops() const { return *instance.ops<plait_augmenter_ops>(); }
};

// Tensors of one call. Threads: [one at a time]
class AugmenterSample {
 public:
  // Whole numbers that are no pictures are below `bound`; `workspace_bytes` of memory besides.
  AugmenterSample(const Parts& in, const Parts& out, Dice dice, Poison poison, uint32_t bound = 2,
                  uint64_t workspace_bytes = 0)
      : lengths(2 * out.size() * sizeof(int32_t), poison), workspace(workspace_bytes, poison) {
    if (lengths.bytes() > 0) std::memset(lengths.data(), 0, lengths.bytes());
    for (const PartSpec& part : in) {
      inputs.push_back(std::make_unique<SampleTensor>(part, poison));
      const bool picture = part.dtype == PLAIT_U8 && element_count(part.shape) > 1;
      inputs.back()->draw(dice, 0, 1, picture ? 256 : bound);
    }
    for (const PartSpec& part : out) outputs.push_back(std::make_unique<SampleTensor>(part, poison));
    for (const auto& one : inputs) in_.push_back(one->raw());
    for (const auto& one : outputs) out_.push_back(one->raw());
    keep_inputs();
  }
  // What the inputs hold now is what they have to hold after a call.
  void keep_inputs() {
    copies_.clear();
    for (const auto& one : inputs)
      copies_.emplace_back(one->memory().as<uint8_t>(), one->memory().as<uint8_t>() + one->memory().bytes());
  }
  plait_sample_call call(uint64_t key, bool training = true) {
    plait_sample_call c{};
    c.struct_size = sizeof c;
    c.n_inputs = static_cast<uint32_t>(in_.size()), c.n_outputs = static_cast<uint32_t>(out_.size());
    c.inputs = in_.data(), c.outputs = out_.data();
    c.lengths_out = lengths.as<int32_t>();
    c.second_lengths_out = lengths.as<int32_t>() + outputs.size();
    c.training = training;
    c.rng = {key, 5};
    c.workspace = workspace.bytes() > 0 ? workspace.data() : nullptr;
    return c;
  }
  Status check_memory() const {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Guarded& memory = inputs[i]->memory();
      if (const auto text = memory.overrun(); !text.empty())
        return broken(
            fmt::format("writes outside part \"{}\" of its input: {}", inputs[i]->spec().name, text));
      if (!copies_[i].empty() && std::memcmp(memory.data(), copies_[i].data(), copies_[i].size()) != 0)
        return broken(fmt::format("writes its input \"{}\"", inputs[i]->spec().name));
    }
    for (const auto& one : outputs)
      if (const auto text = one->memory().overrun(); !text.empty())
        return broken(fmt::format("writes outside its output \"{}\": {}", one->spec().name, text));
    if (const auto text = lengths.overrun(); !text.empty())
      return broken("writes outside the lengths of its outputs: " + text);
    if (const auto text = workspace.overrun(); !text.empty())
      return broken("writes outside its workspace: " + text);
    return {};
  }
  // Along variable axis number `k`.
  int32_t length(size_t i, size_t k = 0) const { return lengths.as<int32_t>()[k * outputs.size() + i]; }
  // Bytes of variable parts past their length mean nothing.
  std::string difference(const AugmenterSample& other) const {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (length(i) != other.length(i) || length(i, 1) != other.length(i, 1))
        return fmt::format("length of output \"{}\"", outputs[i]->spec().name);
      const int32_t used[2] = {length(i), length(i, 1)};
      const int32_t* const extents[2] = {used, used + 1};
      if (!same_within(*outputs[i], *other.outputs[i], extents))
        return fmt::format("output \"{}\"", outputs[i]->spec().name);
    }
    return "";
  }

  std::vector<std::unique_ptr<SampleTensor>> inputs, outputs;
  Guarded lengths;  // of the outputs
  Guarded workspace;
  std::vector<std::vector<int32_t>>
      input_lengths[2];  // of a batch, along variable axes; per input; empty: none

 private:
  std::vector<const plait_tensor*> in_, out_;
  std::vector<std::vector<uint8_t>> copies_;
};

// One sample, with the random numbers of `key`. Fails with: what apply reports.
Status apply_augmenter(const AugmenterBench& bench, AugmenterSample& sample, uint64_t key);
// A batch as training gives it to apply_batch: what apply made of `n` samples, of the types that batches have
// (sample_cast.h), for outputs of the same parts. Fails with: what apply reports.
Result<std::unique_ptr<AugmenterSample>> make_batch(const AugmenterBench& bench, int64_t n, uint64_t key,
                                                    Poison poison);
// The call for it: outputs have the lengths of the inputs.
plait_sample_call batch_call(AugmenterSample& batch, uint64_t key, bool training = true);

bool wants_fit(const plait_augmenter_ops& ops);
// A pass over the samples `begin` .. `end` - 1 of a made-up data set. Fails with: what fit_observe reports.
Result<std::vector<double>> fit_augmenter(const plait_augmenter_ops& ops, const plait_config& config,
                                          const Parts& parts, int begin, int end, uint32_t bound = 2);
// Fails with: what infer, the pass over the data or create report.
Result<AugmenterBench> make_augmenter_bench(Trial& trial, const Example& one, const Parts& parts);
// A configuration with every list of parts that it is worth trying on: its own, or usual ones.
std::vector<Parts> parts_for(const Example& one);

}  // namespace plait::inline verify
