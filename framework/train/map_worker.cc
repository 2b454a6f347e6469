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
  options.updates_apart = worker->updates_apart();
  options.profile = setup.profile;
  options.cancelled = setup.cancelled;
  options.weights_at = setup.weights_at;
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
  const uint64_t trained = plan().trained_elements();
  if (setup_.accumulate > 1) sum_ = HostArena(trained);
  if (!setup_.device->host_memory() && updates_apart()) fetched_ = HostArena(trained);
  const bool looks_at_weights = setup_.rules != nullptr && setup_.rules->wants_weights();
  if (!setup_.device->host_memory() && looks_at_weights) weights_ = HostArena(trained);
  if (const RoundSums* const there = setup_.sums_there) {
    result_arena_ = HostArena(there->wants_buffers() ? plan().arena_elements() : 0);
    for (size_t s = 0; s < replica.slots(); ++s) {
      slot_copies_.emplace_back(there->wants_slot(s) ? trained : 0);
      slots_.push_back(replica.slot(s));
    }
    return {};
  }
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
  if (setup_.weights_at != nullptr) {
    if (!is_prepared_) replicas_->weights_changed();
    is_prepared_ = true;
    return {};
  }
  if (loaded_round_ != state.round) PLAIT_TRY(load_all(state));
  if (!is_prepared_) replicas_->weights_changed();
  is_prepared_ = loaded_round_ == state.round;
  if (!gradients() || buffers()) loaded_round_ = -1, is_prepared_ = false;  // the steps change them
  return {};
}

Status MapWorker::load_all(const RoundState& state) {
  Replica& replica = replicas_->whole();
  if (setup_.start != nullptr) {
    PLAIT_TRY(load_there());
  } else {
    PLAIT_TRY(copy_in(replica.weights(), state.weights));
    for (size_t s = 0; s < replica.slots(); ++s) PLAIT_TRY(copy_in(replica.slot(s), state.slots[s]));
  }
  if (!setup_.device->host_memory()) PLAIT_TRY(stream_->synchronize());
  loaded_round_ = state.round;
  is_prepared_ = false;
  return {};
}

Status MapWorker::load_there() {
  Replica& replica = replicas_->whole();
  PLAIT_TRY(
      stream_->copy(replica.weights(), setup_.start->weights(), plan().arena_elements() * sizeof(float)));
  for (size_t s = 0; s < replica.slots(); ++s)
    PLAIT_TRY(
        stream_->copy(replica.slot(s), setup_.start->slot(s), plan().trained_elements() * sizeof(float)));
  return {};
}

void MapWorker::keeps_result(int64_t round) {
  loaded_round_ = round + 1;
  is_prepared_ = true;  // by the steps
}

// Random numbers of each batch are its own.
Status MapWorker::step(int64_t position, int64_t next_position, int64_t step, int part, int shard,
                       std::span<const double> runtime, int64_t updates) {
  shard_ = shard;
  step_ = step;
  PLAIT_ASSIGN(const Batch* batch, input_->take(position));
  if (next_position >= 0) input_->want(next_position);
  PLAIT_ASSIGN(Replica* const replica, replicas_->at(batch->bucket));
  const int64_t number = step * setup_.accumulate + part;
  auto done = replica->run(*batch, setup_.seed, number, static_cast<uint64_t>(shard), runtime, updates);
  if (!done && done.status().code() == Code::kNumeric)
    return find_first_not_finite(*replica, *batch, done.status());
  if (!done) return done.status();
  result_.loss_sum += done->loss_sum;
  result_.samples += done->samples;
  for (size_t i = 0; i < done->losses.size(); ++i) result_.losses[i] += done->losses[i];
  if (!updates_apart()) return {};
  if (part == 0) step_loss_ = step_samples_ = 0;
  step_loss_ += done->loss_sum;
  step_samples_ += done->samples;
  PLAIT_TRY(accumulate(part));
  return part + 1 == setup_.accumulate ? update(*replica, runtime, updates) : Status();
}

Status MapWorker::update(Replica& replica, std::span<const double> runtime, int64_t updates) {
  if (setup_.optimizer == nullptr) return {};
  if (const Status applied = apply_rules(); !applied) return blame(applied);
  return replica.update(step_, runtime, updates, step_samples_ > 0 ? step_loss_ / step_samples_ : 0);
}

// The mean of the step's gradients is in the replica's arena after the last batch.
Status MapWorker::accumulate(int part) {
  if (setup_.accumulate == 1) return {};
  PLAIT_ASSIGN(float* const gradients, fetch_gradients());
  float* const sum = sum_.data();
  const uint64_t count = sum_.size();
  if (part == 0)
    std::copy_n(gradients, count, sum);
  else
    for (uint64_t i = 0; i < count; ++i) sum[i] += gradients[i];
  if (part + 1 < setup_.accumulate) return {};
  const auto batches = static_cast<float>(setup_.accumulate);
  for (uint64_t i = 0; i < count; ++i) gradients[i] = sum[i] / batches;
  return store_gradients(gradients);
}

Status MapWorker::apply_rules() {
  if (setup_.rules == nullptr) return {};
  PLAIT_ASSIGN(float* const gradients, fetch_gradients());
  const float* weights = replicas_->whole().weights();
  if (weights_.size() > 0) {
    PLAIT_TRY(copy_out(weights_, weights, weights_.size()));
    PLAIT_TRY(stream_->synchronize());
    weights = weights_.data();
  }
  PLAIT_TRY(setup_.rules->apply(gradients, weights));
  return store_gradients(gradients);
}

// Where the host can read and write them.
Result<float*> MapWorker::fetch_gradients() {
  float* const gradients = replicas_->whole().gradients();
  if (setup_.device->host_memory()) return gradients;
  PLAIT_TRY(copy_out(fetched_, gradients, fetched_.size()));
  PLAIT_TRY(stream_->synchronize());
  return fetched_.data();
}

Status MapWorker::store_gradients(const float* gradients) {
  if (setup_.device->host_memory()) return {};
  PLAIT_TRY(stream_->copy_in(replicas_->whole().gradients(), gradients, fetched_.bytes()));
  return stream_->synchronize();
}

Status MapWorker::skip(int64_t position, int64_t next_position) {
  PLAIT_TRY(input_->take(position).status());
  if (next_position >= 0) input_->want(next_position);
  return {};
}

Status MapWorker::finish(const RoundState& state) {
  if (setup_.sums_there != nullptr) return finish_there();
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

// What the host adds comes out; the rest stays.
Status MapWorker::finish_there() {
  Replica& replica = replicas_->whole();
  const uint64_t first = plan().buffers_offset();
  if (result_arena_.size() > first)
    PLAIT_TRY(stream_->copy_out(result_arena_.data() + first, replica.weights() + first,
                                (result_arena_.size() - first) * sizeof(float)));
  for (size_t s = 0; s < slot_copies_.size(); ++s)
    if (slot_copies_[s].size() > 0)
      PLAIT_TRY(copy_out(slot_copies_[s], replica.slot(s), slot_copies_[s].size()));
  return stream_->synchronize();
}

ResultThere MapWorker::result_there() {
  Replica& replica = replicas_->whole();
  ResultThere result;
  result.trained = gradients() ? replica.gradients() : replica.weights();
  result.before = gradients() ? nullptr : setup_.start->weights();
  result.arena = replica.weights();
  result.slots = slots_;
  result.buffers = result_arena_.span();
  result.slots_here = slot_copies_;
  return result;
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
