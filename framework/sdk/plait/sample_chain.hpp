// Several augmenters one after the other on one sample, in the memory of the augmenter that holds them.
// Optional; sdk.hpp does not include it.
//
//   struct Twice {
//     Child<Augmenter> augmenter;
//     ...
//     void open(Context&, const Parts& parts) { chain.open(parts); }
//     uint64_t workspace_bytes(Context& c, int64_t batch) const {
//       return batch == 0 ? chain.bytes() + augmenter.workspace_bytes(c) : 0;
//     }
//     void apply(Context& c, SampleCall& call) const {
//       chain.run(c, call, 2, [&](size_t step) -> const Child<Augmenter>& { return augmenter; },
//                 [](size_t step) { return step; });
//     }
//     SampleChain chain;
//   };
//
// Each augmenter leaves the kinds of the parts as they are: the host sees to that. Steady state: nothing is
// allocated. Threads: open [setup]; the rest [any].
#pragma once
#include <plait/sdk.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace plait::sdk {

inline bool same_parts(const Parts& a, const Parts& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) {
    same = a[i].name == b[i].name && a[i].dtype == b[i].dtype && a[i].shape == b[i].shape &&
           a[i].variable_axis == b[i].variable_axis && a[i].second_axis == b[i].second_axis;
  }
  return same;
}

// Fails with: kInvalid where one of them makes other parts of these.
inline void want_same_parts(Context& c, const std::vector<Child<Augmenter>>& augmenters, const Parts& parts) {
  for (const Child<Augmenter>& one : augmenters) {
    Parts made = parts;
    one.infer(c, made);
    if (!same_parts(made, parts))
      throw Error(ErrorCode::kInvalid, one.id(),
                  " makes other parts of those that go in: it cannot be among others here");
  }
}

// The most that one of them wants.
inline uint64_t most_workspace(Context& c, const std::vector<Child<Augmenter>>& augmenters) {
  uint64_t most = 0;
  for (const Child<Augmenter>& one : augmenters) most = std::max(most, one.workspace_bytes(c));
  return most;
}

class SampleChain {
 public:
  void open(const Parts& parts) {
    offsets_.clear();
    uint64_t at = aligned(2 * parts.size() * sizeof(Slot)) +
                  aligned(4 * parts.size() * sizeof(plait_tensor*)) +
                  aligned(4 * parts.size() * sizeof(int32_t));
    for (const PartSpec& part : parts) {
      offsets_.push_back(at);
      at += aligned(part.bytes());
    }
    bytes_ = at;
  }
  // Of the workspace, before what the augmenters themselves want.
  uint64_t bytes() const { return bytes_; }

  // Step i is done by augmenter(i), whose random numbers are those of place place(i) among its siblings.
  template <class AugmenterOf, class PlaceOf>
  void run(Context& c, SampleCall& call, size_t steps, AugmenterOf augmenter, PlaceOf place) const {
    if (steps == 0) return;
    const plait_sample_call& whole = *call.c();
    const Memory memory = lay_out(whole);
    for (size_t i = 0; i < steps; ++i) {
      // The last one writes to the outputs of the whole, the one before it into the chain's own memory, and
      // so on.
      const bool last = i + 1 == steps, to_own = (steps - i) % 2 == 0;
      plait_sample_call step = whole;
      step.struct_size = sizeof step;
      step.rng = Random(whole.rng).split(place(i)).c();
      step.workspace = static_cast<char*>(whole.workspace) + bytes_;
      if (i > 0) step.inputs = to_own ? memory.outputs : memory.own;
      step.outputs = to_own ? memory.own : memory.outputs;
      const size_t side = to_own ? 1 : 0;
      if (!last) {
        step.lengths_out = memory.lengths[side];
        step.second_lengths_out = memory.second_lengths[side];
      }
      augmenter(i).apply_raw(c, step);
    }
    call.all_written();
  }

 private:
  using Slot = plait_tensor;
  struct Memory {
    const plait_tensor** outputs;
    const plait_tensor** own;
    int32_t *lengths[2], *second_lengths[2];
  };

  static uint64_t aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

  // Of an axis that varies, where its extent is kept: all of it until an augmenter says how much.
  static const int32_t* reach(int axis, const plait_tensor& of, int32_t* kept) {
    if (axis < 0) return nullptr;
    *kept = static_cast<int32_t>(of.shape[axis]);
    return kept;
  }

  // Tensors that see the outputs' memory and the chain's own, each with extents of their own.
  Memory lay_out(const plait_sample_call& whole) const {
    const size_t count = offsets_.size();
    auto* at = static_cast<char*>(whole.workspace);
    auto* const tensors = reinterpret_cast<Slot*>(at);
    at += aligned(2 * count * sizeof(Slot));
    auto** const pointers = reinterpret_cast<const plait_tensor**>(at);
    at += aligned(4 * count * sizeof(plait_tensor*));
    auto* const lengths = reinterpret_cast<int32_t*>(at);
    const Memory memory{
        pointers, pointers + count, {lengths, lengths + count}, {lengths + 2 * count, lengths + 3 * count}};
    for (size_t side = 0; side < 2; ++side) {
      for (size_t i = 0; i < count; ++i) {
        const plait_tensor& like = *whole.outputs[i];
        plait_tensor& made = tensors[side * count + i];
        made = {};
        std::memcpy(&made, &like, std::min<size_t>(sizeof made, like.struct_size));
        made.struct_size = sizeof made;
        if (side == 1) made.data = static_cast<char*>(whole.workspace) + offsets_[i];
        made.lengths = reach(Tensor(&made).variable_axis(), made, memory.lengths[side] + i);
        made.second_lengths = reach(Tensor(&made).second_axis(), made, memory.second_lengths[side] + i);
        pointers[side * count + i] = &made;
      }
    }
    return memory;
  }

  std::vector<uint64_t> offsets_;
  uint64_t bytes_ = 0;
};

}  // namespace plait::sdk
