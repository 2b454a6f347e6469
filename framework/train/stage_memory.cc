// What a stage will hold, added up from the sizes that its parts allocate.
#include <algorithm>

#include "graph/plain_copy.h"
#include "train/stage.h"

namespace plait::inline train {
namespace {

uint64_t floats(uint64_t elements) { return elements * sizeof(float); }

uint64_t batch_bytes(const JobData& data, int batch) {
  uint64_t bytes = 0;
  for (const PartSpec& part : data.training().parts()) bytes += byte_count(part);
  return bytes * static_cast<uint64_t>(batch);
}

// The second and further users of a shared parameter have gradients of their own.
uint64_t extra_gradients(const Plan& plan) {
  std::vector<int> users(plan.parameters().size());
  uint64_t elements = 0;
  for (const Step& step : plan.steps())
    for (const int parameter : step.parameters) {
      const ParameterPlace& place = plan.parameters()[static_cast<size_t>(parameter)];
      if (users[static_cast<size_t>(parameter)]++ > 0 && place.trained) elements += place.stored;
    }
  return elements;
}

// The largest parameter that is not kept as files have it.
uint64_t largest_scratch(const Plan& plan) {
  uint64_t most = 0;
  for (size_t i = 0; i < plan.parameters().size(); ++i)
    if (plan.parameters()[i].step >= 0) most = std::max(most, plan.network().parameters[i].elements);
  return most;
}

// A replica's layers are updated at once, by an update each; after a reduce it is one after the other.
uint64_t plain_copies(const Plan& plan, uint64_t slots, uint64_t replicas) {
  uint64_t most = 0, sum = 0;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const uint64_t bytes = PlainCopy::bytes(plan, i, slots);
    most = std::max(most, bytes);
    sum += bytes;
  }
  return replicas > 0 ? replicas * sum : most;
}

}  // namespace

RunMemory Stage::memory(int threads, int ranks) const {
  const uint64_t trained = plan_->trained_elements(), arena = plan_->arena_elements();
  const bool in_tasks = numbers_.sync == Sync::kWeights;
  const uint64_t slots = optimizer_->slots().size();
  RunMemory use;
  const int shards = (numbers_.shards + ranks - 1) / ranks;
  use.workers = std::min(std::max(1, threads / plan_->options().lanes), shards);
  const auto workers = static_cast<size_t>(use.workers);
  use.weights = floats(arena);
  use.slots = floats(trained * (slots + (outer_ ? outer_->slots().size() : 0)));
  const bool is_alone = takes_whole_result(numbers_, round_parts(), ranks);
  const bool is_kept = keeps_gradients(numbers_, round_parts(), workers, ranks);
  use.mean = is_alone ? 0 : floats(arena);
  if (job_.train.averages()) use.weights += floats(trained);
  if (job_.train.averages() || recalibration_) use.weights += floats(arena);
  const std::vector<SlotInfo> averaged = averaged_slots(*optimizer_, numbers_.sync, numbers_.inner_state);
  if (reducer_->gathers()) {
    // States are there twice while they are made anew, and one vector for what comes of the round.
    const uint64_t states = reducer_->takes_whole() ? 2 * reducer_->states().size() + 2 : 0;
    use.sums =
        floats(arena + trained * averaged.size()) * (static_cast<uint64_t>(3 * numbers_.shards) + states);
  } else if (!is_alone && !is_kept) {
    use.sums = RoundSums::bytes(*plan_, averaged, reducer_->total_weight());
    if (numbers_.shards > 1) use.exchange = ExactSum::exchange_bytes(arena, reducer_->total_weight());
    // On a device that adds: the same there, the means, and what the round begins with.
    if (reducer_->total_weight() > 1 && DeviceSum::is_offered(run_.device))
      use.sums = 2 * use.sums + floats(arena + trained * averaged.size()) +
                 floats(arena + trained * (in_tasks ? slots : 0));
  }
  // The weights of those that read the state's are counted.
  use.replicas =
      workers *
      (floats((is_kept ? 0 : arena) + trained * (1 + (in_tasks ? slots : 0)) + extra_gradients(*plan_)) +
       plan_->prepared_bytes());
  if (in_tasks && optimizer_->moves()) use.replicas += workers * floats(2 * arena - plan_->buffers_offset());
  if (numbers_.accumulate > 1) use.replicas += workers * floats(trained);
  if (optimizer_->plain()) use.replicas += plain_copies(*plan_, slots, in_tasks ? workers : 0);
  use.activations = workers * plans_->activation_bytes();
  use.batches = workers * InputGraph::kBuffers * batch_bytes(*data_, numbers_.batch);
  use.scratch = floats(largest_scratch(*plan_));
  if (validation_) use.evaluation = validation_->blocks().bytes() + use.scratch;
  if (validation_ && is_kept) use.evaluation += validation_->blocks().weight_bytes();
  if (recalibration_) use.evaluation = std::max(use.evaluation, recalibration_->bytes() + use.scratch);
  if (test_) use.test = test_->blocks().bytes() + 3 * test_->blocks().weight_bytes();
  return use;
}

}  // namespace plait::inline train
