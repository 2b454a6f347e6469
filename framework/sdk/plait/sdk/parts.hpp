// Samples are records of named parts: image, label, mask, sound, text. Parts describes them before any sample
// exists; SampleCall is one sample (or, for apply_batch, one batch).
//
// Shapes: a part of a sample has no N: image [H, W, C], label []; in apply_batch [N, ...].
// Threads: a SampleCall belongs to one call.
#pragma once
#include <cstring>
#include <deque>
#include <string_view>
#include <vector>

#include "context.hpp"
#include "random.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// A list of part specs that can be edited. An augmenter's infer begins with what goes in and leaves what
// comes out, so parts it does not touch pass.
class Parts {
 public:
  using ChangedByHook = void;
  Parts() = default;
  Parts(uint32_t count, const plait_tensor_spec* const* specs) {
    for (uint32_t i = 0; i < count; ++i) parts_.emplace_back(Spec(specs[i]));
  }

  size_t size() const { return parts_.size(); }
  PartSpec& operator[](size_t i) { return parts_.at(i); }
  const PartSpec& operator[](size_t i) const { return parts_.at(i); }
  bool has(std::string_view name) const { return find(name) < size(); }
  // The part of that name; fails when there is none.
  PartSpec& part(std::string_view name) { return parts_[place(name)]; }
  const PartSpec& part(std::string_view name) const { return parts_[place(name)]; }
  // second_axis: a second one that varies, after variable_axis.
  PartSpec& add(std::string_view name, DType dtype, std::vector<int64_t> shape, int variable_axis = -1,
                int second_axis = -1) {
    if (has(name)) throw Error("part \"", name, "\" is there already");
    return parts_.emplace_back(name, dtype, std::move(shape), variable_axis, second_axis);
  }
  void remove(std::string_view name) { parts_.erase(parts_.begin() + static_cast<ptrdiff_t>(place(name))); }
  template <class... Part>
  [[noreturn]] void fail(const Part&... parts) const {
    throw Error(ErrorCode::kInvalid, parts...);
  }
  auto begin() const { return parts_.begin(); }
  auto end() const { return parts_.end(); }

  // From here on for the SDK.
  void emit(const plait_parts_builder* builder) const {
    for (const PartSpec& part : parts_) {
      const plait_tensor_spec spec = part.c();
      if (builder->part(builder, &spec) != PLAIT_OK) {
        throw Error("part \"", part.name, "\" is not acceptable to the host");
      }
    }
  }

 private:
  size_t find(std::string_view name) const {
    size_t i = 0;
    while (i < size() && parts_[i].name != name) ++i;
    return i;
  }
  size_t place(std::string_view name) const {
    const size_t i = find(name);
    if (i < size()) return i;
    std::string there;
    for (const PartSpec& part : parts_) there += (there.empty() ? "" : ", ") + part.name;
    throw Error("the sample has no part \"", name, "\", only: ", there);
  }

  std::deque<PartSpec> parts_;
};

// A part as it goes in and as it comes out.
struct PartInOut {
  Tensor in, out;
};

class SampleCall {
 public:
  using ChangedByHook = void;
  explicit SampleCall(const plait_sample_call* call) : c_(call), random_(call->rng) {}

  bool training() const { return c_->training != 0; }
  // This sample's numbers: the same for every thread count and order. Moves as it is drawn from.
  Random& random() { return random_; }

  bool has(std::string_view name) const { return find(c_->inputs, c_->n_inputs, name) < c_->n_inputs; }
  bool has_output(std::string_view name) const {
    return find(c_->outputs, c_->n_outputs, name) < c_->n_outputs;
  }
  Tensor input(std::string_view name) const {
    const uint32_t i = find(c_->inputs, c_->n_inputs, name);
    if (i == c_->n_inputs) throw Error("the sample has no part \"", name, "\"");
    return Tensor(c_->inputs[i]);
  }
  // The memory to write; the caller must fill all of it (of a variable axis: as far as set_length, of two as
  // far as set_extents says).
  Tensor output(std::string_view name) {
    const uint32_t i = output_place(name);
    written_ |= uint64_t{1} << i;
    return Tensor(c_->outputs[i]);
  }
  PartInOut part(std::string_view name) { return {input(name), output(name)}; }
  // Copies a part to its output and returns that, to be changed where it lies.
  Tensor pass(std::string_view name) {
    copy(name);
    return output(name);
  }
  // Extent used of an output's variable axis.
  void set_length(std::string_view name, int64_t length) {
    if (c_->lengths_out) c_->lengths_out[output_place(name)] = static_cast<int32_t>(length);
  }
  // Extents used of an output's variable axis and of its second one.
  void set_extents(std::string_view name, int64_t first, int64_t second) {
    set_length(name, first);
    if (PLAIT_HAS(c_, second_lengths_out))
      c_->second_lengths_out[output_place(name)] = static_cast<int32_t>(second);
  }
  // How far an input reaches along an axis: the extent used, where it varies, else all of it.
  int64_t extent(std::string_view name, int axis) const {
    const Tensor in = input(name);
    const int32_t* used = nullptr;
    if (axis == in.variable_axis()) used = in.c()->lengths;
    if (axis == in.second_axis()) used = in.c()->second_lengths;
    return used ? *used : in.shape(axis);
  }
  // The output of this name reaches as far as the input of this name.
  void same_extents(std::string_view name) {
    const Tensor in = input(name);
    if (in.second_axis() >= 0)
      return set_extents(name, extent(name, in.variable_axis()), extent(name, in.second_axis()));
    if (in.c()->lengths) set_length(name, in.c()->lengths[0]);
  }
  // Extent used of an input's variable axis (or of its first axis).
  int64_t length(std::string_view name) const {
    const Tensor in = input(name);
    if (in.c()->lengths) return in.c()->lengths[0];
    return in.shape(in.variable_axis() < 0 ? 0 : in.variable_axis());
  }

  // Augmenters: as many bytes as workspace_bytes said, 64-byte aligned, with any content.
  template <class V = void>
  V* workspace() const {
    return static_cast<V*>(c_->workspace);
  }

  // From here on for the SDK.
  const plait_sample_call* c() const { return c_; }
  // Outputs that were not asked for are copies of the inputs of the same name.
  void pass_untouched() {
    for (uint32_t i = 0; i < c_->n_outputs; ++i) {
      if (!(written_ >> i & 1)) copy(Tensor(c_->outputs[i]).name());
    }
  }
  void all_written() { written_ = ~uint64_t{0}; }
  bool is_written(uint32_t output) const { return (written_ >> output & 1) != 0; }

 private:
  static uint32_t find(const plait_tensor* const* list, uint32_t count, std::string_view name) {
    uint32_t i = 0;
    while (i < count && Tensor(list[i]).name() != name) ++i;
    return i;
  }
  uint32_t output_place(std::string_view name) const {
    const uint32_t i = find(c_->outputs, c_->n_outputs, name);
    if (i == c_->n_outputs) throw Error("the sample has no output part \"", name, "\"");
    if (i >= 64) throw Error(ErrorCode::kUnsupported, "a sample has at most 64 parts");
    return i;
  }
  void copy(std::string_view name) {
    const Tensor from = input(name), to = output(name);
    if (from.dtype() != to.dtype() || from.bytes() != to.bytes()) {
      throw Error("part \"", name, "\" cannot be passed on: in ", from, ", out ", to);
    }
    if (to.bytes() > 0) std::memcpy(to.raw(), from.raw(), to.bytes());
    same_extents(name);
  }

  const plait_sample_call* c_;
  Random random_;
  uint64_t written_ = 0;
};

}  // namespace plait::sdk
