// Reducers of shards on the test host: one that gathers, and one that takes the whole, with its states. See
// testing.hpp.
#pragma once
#include <limits>

#include "testing.hpp"
#include "testing_plugin.hpp"

namespace plait::sdk::testing {

// What one that gathers makes of the shards' slices, all of one length.
inline std::vector<float> combine_slices(TestHost& host, const Entry& entry, const Settings& settings,
                                         const std::vector<std::vector<float>>& deltas) {
  const Made<plait_reducer_ops> reducer(host, entry, settings);
  std::vector<const float*> slices;
  for (const auto& delta : deltas) slices.push_back(delta.data());
  std::vector<float> combined(deltas.front().size());
  host.check(reducer.ops().combine(reducer.self(), host.context(), static_cast<uint32_t>(deltas.size()),
                                   slices.data(), combined.size(), combined.data()));
  return combined;
}

// A stretch of the vectors.
struct ReducedStretch {
  std::string name;
  size_t count = 0;
  uint32_t what = PLAIT_REDUCED_PARAMETER;
  Reduce reduce = Reduce::mean32;
};

class WholeTest {
 public:
  std::vector<std::vector<float>> states;  // as they begin, then as the rounds leave them
  std::vector<double> losses;              // of the shards; empty: 1 each
  int64_t next_round = 0;

  WholeTest(TestHost& host, const Entry& entry, Settings settings, std::vector<ReducedStretch> stretches)
      : host_(host),
        ops_(*static_cast<const plait_reducer_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)),
        stretches_(std::move(stretches)) {
    for (const ReducedStretch& stretch : stretches_) add(stretch);
    for (const plait_reduced_tensor& tensor : tensors_) pointers_.push_back(&tensor);
    describe(static_cast<const plait_reducer_rules*>(entry.type.rules));
    host_.check(ops_.create(host_.context(), settings_.c(), &self_));
  }
  ~WholeTest() {
    if (self_) ops_.destroy(self_);
  }
  WholeTest(const WholeTest&) = delete;
  WholeTest& operator=(const WholeTest&) = delete;

  // Of one parameter.
  WholeTest(TestHost& host, const Entry& entry, Settings settings, size_t count)
      : WholeTest(host, entry, std::move(settings), {{"w", count}}) {}

  // A round; an empty vector: the shard failed.
  std::vector<float> combine(std::vector<std::vector<float>> deltas) {
    std::vector<plait_shard_result> results(deltas.size());
    std::vector<const plait_shard_result*> result_pointers;
    std::vector<const float*> vectors;
    for (size_t k = 0; k < deltas.size(); ++k) {
      const bool failed = deltas[k].empty();
      deltas[k].resize(count_, std::numeric_limits<float>::infinity());
      const double loss = failed ? std::numeric_limits<double>::infinity() : losses.empty() ? 1 : losses[k];
      results[k] = {sizeof results[k],        static_cast<uint32_t>(deltas.size()),
                    static_cast<uint32_t>(k), 0,
                    failed ? 0 : 64,          loss};
      result_pointers.push_back(&results[k]);
      vectors.push_back(deltas[k].data());
    }
    std::vector<float*> state_pointers;
    for (std::vector<float>& state : states) state_pointers.push_back(state.data());
    std::vector<float> combined(count_, std::numeric_limits<float>::quiet_NaN());
    plait_whole_reduction call{};
    call.struct_size = sizeof call;
    call.shards = static_cast<uint32_t>(deltas.size());
    call.round = next_round++;
    call.count = count_;
    call.n_tensors = static_cast<uint32_t>(tensors_.size());
    call.n_states = static_cast<uint32_t>(states.size());
    call.tensors = pointers_.data();
    call.results = result_pointers.data();
    call.deltas = vectors.data();
    call.states = state_pointers.data();
    call.combined = combined.data();
    host_.check(ops_.combine_whole(self_, host_.context(), &call));
    return combined;
  }

 private:
  void add(const ReducedStretch& stretch) {
    extents_.push_back(static_cast<int64_t>(stretch.count));
    plait_reduced_tensor tensor{};
    tensor.struct_size = sizeof tensor;
    tensor.what = stretch.what;
    tensor.name = stretch.name.c_str();
    tensor.shape = &extents_.back();
    tensor.rank = 1;
    tensor.reduce = static_cast<uint32_t>(stretch.reduce);
    tensor.first = count_;
    tensor.count = stretch.count;
    tensors_.push_back(tensor);
    count_ += stretch.count;
  }
  void describe(const plait_reducer_rules* rules) {
    if (!PLAIT_HAS(rules, describe)) return;
    plait_optimizer_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = this;
    builder.slot = [](const plait_optimizer_builder* made, const plait_slot_spec* spec) {
      auto& test = *static_cast<WholeTest*>(made->host_data);
      test.states.emplace_back(test.count_, static_cast<float>(spec->initial));
      return int{PLAIT_OK};
    };
    host_.check(rules->describe(host_.context(), settings_.c(), &builder));
  }

  TestHost& host_;
  const plait_reducer_ops& ops_;
  Settings settings_;
  std::vector<ReducedStretch> stretches_;
  std::deque<int64_t> extents_;
  std::deque<plait_reduced_tensor> tensors_;
  std::vector<const plait_reduced_tensor*> pointers_;
  size_t count_ = 0;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
