#include "train/map_worker.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/arena.h"
#include "train/not_finite.h"

namespace plait::inline train {

Result<std::unique_ptr<MapWorker>> MapWorker::create(const Setup& setup) {
  std::unique_ptr<MapWorker> worker(new MapWorker(setup));
  const Plan& plan = worker->plan();
  const int lanes = plan.options().lanes;
  PLAIT_ASSIGN(worker->stream_, Stream::create(*setup.device, lanes, parallel_pieces));
  Replica::Options options;
  options.optimizer = setup.optimizer;
  options.profile = setup.profile;
  options.cancelled = setup.cancelled;
  options.meanwhile = [made = worker.get()] {
    if (made->input_) made->input_->prepare();
  };
  PLAIT_ASSIGN(worker->replicas_, ReplicaSet::create(*setup.plans, *setup.device, options));
  PLAIT_ASSIGN(worker->input_,
               InputGraph::create(*setup.reader, *setup.order, *setup.device, plan.network().batch, lanes,
                                  &setup.plans->buckets(), part_ranges(plan.network())));
  PLAIT_TRY(worker->make_memory());
  return worker;
}

Status MapWorker::make_memory() {
  Replica& replica = replicas_->whole();
  if (!setup_.device->host_memory()) result_arena_ = HostArena(plan().arena_elements());
  for (size_t s = 0; s < replica.slots(); ++s) {
    if (!setup_.device->host_memory()) slot_copies_.emplace_back(plan().trained_elements());
    slots_.push_back(setup_.device->host_memory() ? replica.slot(s) : slot_copies_.back().data());
  }
  return {};
}

Status MapWorker::copy_in(float* device, const HostArena& host) {
  if (!setup_.device->host_memory()) return stream_->copy_in(device, host.data(), host.bytes());
  std::memcpy(device, host.data(), host.bytes());
  return {};
}

Status MapWorker::copy_out(HostArena& host, const float* device, uint64_t elements) {
  return stream_->copy_out(host.data(), device, elements * sizeof(float));
}

Status MapWorker::load(const RoundState& state) {
  result_.loss_sum = result_.samples = 0;
  result_.losses.assign(plan().losses().size(), 0);
  if (loaded_round_ != state.round) PLAIT_TRY(load_all(state));
  if (!is_prepared_) replicas_->weights_changed();
  is_prepared_ = loaded_round_ == state.round;
  return {};
}

Status MapWorker::load_all(const RoundState& state) {
  Replica& replica = replicas_->whole();
  PLAIT_TRY(copy_in(replica.weights(), state.weights));
  for (size_t s = 0; s < replica.slots(); ++s) PLAIT_TRY(copy_in(replica.slot(s), state.slots[s]));
  if (!setup_.device->host_memory()) PLAIT_TRY(stream_->synchronize());
  loaded_round_ = gradients() && !buffers() ? state.round : -1;
  is_prepared_ = false;
  return {};
}

void MapWorker::take_weights(const RoundState& state, uint64_t first, uint64_t count) {
  if (loaded_round_ != state.round) return;
  std::copy_n(state.weights.data() + first, count, replicas_->whole().weights() + first);
}

void MapWorker::took_weights(int64_t round) {
  if (loaded_round_ != round) return;
  loaded_round_ = round + 1;
  is_prepared_ = false;
}

Status MapWorker::step(int64_t position, int64_t next_position, int64_t step, int shard,
                       std::span<const double> runtime, int64_t updates) {
  shard_ = shard;
  step_ = step;
  PLAIT_ASSIGN(const Batch* batch, input_->take(position));
  if (next_position >= 0) input_->want(next_position);
  PLAIT_ASSIGN(Replica* const replica, replicas_->at(batch->bucket));
  auto done = replica->run(*batch, setup_.seed, step, static_cast<uint64_t>(shard), runtime, updates);
  if (!done && done.status().code() == Code::kNumeric)
    return find_first_not_finite(*replica, *batch, done.status());
  if (!done) return done.status();
  result_.loss_sum += done->loss_sum;
  result_.samples += done->samples;
  for (size_t i = 0; i < done->losses.size(); ++i) result_.losses[i] += done->losses[i];
  return {};
}

Status MapWorker::skip(int64_t position, int64_t next_position) {
  PLAIT_TRY(input_->take(position).status());
  if (next_position >= 0) input_->want(next_position);
  return {};
}

Status MapWorker::finish(const RoundState& state) {
  if (setup_.device->host_memory()) {
    finish_in_place(state);
    return {};
  }
  PLAIT_TRY(finish_in_copies());
  if (!gradients() && !setup_.whole_weights) subtract(result_arena_.data(), state);
  values_ = result_arena_.span();
  return {};
}

// The replica's own weights become the result: the next task loads them anew.
void MapWorker::finish_in_place(const RoundState& state) {
  Replica& replica = replicas_->whole();
  const uint64_t trained = plan().trained_elements();
  if (gradients() && !buffers()) {
    values_ = {replica.gradients(), trained};
    return;
  }
  if (gradients()) {
    std::memcpy(replica.weights(), replica.gradients(), trained * sizeof(float));
  } else if (!setup_.whole_weights) {
    subtract(replica.weights(), state);
  }
  values_ = {replica.weights(), plan().arena_elements()};
}

Status MapWorker::finish_in_copies() {
  Replica& replica = replicas_->whole();
  const uint64_t trained = plan().trained_elements();
  PLAIT_TRY(copy_out(result_arena_, replica.weights(), plan().arena_elements()));
  if (gradients()) PLAIT_TRY(copy_out(result_arena_, replica.gradients(), trained));
  for (size_t s = 0; s < slot_copies_.size(); ++s)
    PLAIT_TRY(copy_out(slot_copies_[s], replica.slot(s), trained));
  return stream_->synchronize();
}

void MapWorker::subtract(float* values, const RoundState& state) const {
  const float* before = state.weights.data();
  for (uint64_t i = 0; i < plan().trained_elements(); ++i) values[i] -= before[i];
}

Status MapWorker::blame(const Status& failure) const {
  if (failure.code() != Code::kNumeric) return failure;
  return failure.at("shard " + std::to_string(shard_) + ", step " + std::to_string(step_));
}

Status MapWorker::find_first_not_finite(Replica& replica, const Batch& batch, const Status& failure) {
  PLAIT_ASSIGN(const std::string layer,
               first_not_finite(replicas_->plan(batch.bucket), replica, batch, *stream_));
  const std::string where = layer.empty() ? "" : "; first at " + layer;
  return blame({Code::kNumeric, failure.message() + where});
}

}  // namespace plait::inline train
