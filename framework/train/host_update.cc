#include "train/host_update.h"

#include <algorithm>
#include <string>

#include "graph/optimizer_calls.h"

namespace plait::inline train {
namespace {

constexpr uint64_t kPieceElements = 1 << 15;  // 128 KiB: stays in a core's cache
constexpr uint64_t kWorthThreads = 1 << 17;   // waking a thread takes as long as some ten thousand elements

std::vector<int> copied(const OptimizerInstance& optimizer, const Plan& plan) {
  std::vector<int> parameters;
  for (size_t i = 0; i < plan.parameters().size(); ++i)
    if (optimizer.plain() && plan.parameters()[i].trained) parameters.push_back(static_cast<int>(i));
  return parameters;
}

}  // namespace

HostUpdate::HostUpdate(const OptimizerInstance& optimizer, const Plan& plan, Rates rates, int threads)
    : optimizer_(optimizer),
      plan_(plan),
      rates_(rates),
      copy_(plan, copied(optimizer, plan), optimizer.slots().size()) {
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterPlace& place = plan.parameters()[i];
    if (!place.trained) continue;
    const uint64_t most = optimizer.elementwise() ? kPieceElements : place.stored;
    for (uint64_t at = 0; at < place.stored; at += most) {
      Piece piece{i, place.offset + at, std::min(most, place.stored - at), {}, {}};
      piece.runtime.resize(optimizer.runtime_fields());
      piece.slots.resize(optimizer.slots().size());
      pieces_.push_back(std::move(piece));
    }
  }
  const bool worth_it = optimizer.elementwise() && plan.trained_elements() >= kWorthThreads;
  if (threads > 1 && worth_it) lanes_ = std::make_unique<Lanes>(threads);
}

Status HostUpdate::run(int64_t step, std::span<const double> runtime, double loss, const float* gradients,
                       HostArena& weights, std::vector<HostArena>& slots, const Before& before) {
  step_ = step;
  observed_ = 0;
  loss_ = loss;
  runtime_ = runtime;
  gradients_ = gradients;
  weights_ = &weights;
  slots_ = &slots;
  before_ = &before;
  has_gradients_ = !before;
  for (Piece& piece : pieces_) set_runtime(piece);
  if (optimizer_.needs_all_gradients()) PLAIT_TRY(observe());
  return step_all();
}

void HostUpdate::set_runtime(Piece& piece) const {
  std::ranges::copy(runtime_, piece.runtime.begin());
  const int rate = optimizer_.rate_field();
  const double multiplier = plan_.network().parameters[piece.parameter].rate_multiplier;
  if (rate >= 0 && rates_ == Rates::kOfParameters) piece.runtime[static_cast<size_t>(rate)] *= multiplier;
}

plait_optimizer_call HostUpdate::call_for(Piece& piece) const {
  for (size_t s = 0; s < piece.slots.size(); ++s) piece.slots[s] = (*slots_)[s].data() + piece.offset;
  plait_optimizer_call call{};
  call.struct_size = sizeof call;
  call.flags = plan_.network().parameters[piece.parameter].flags;
  call.count = piece.count;
  call.weights = weights_->data() + piece.offset;
  call.gradients = gradients_ + piece.offset;
  call.slots = piece.slots.data();
  call.step = call.updates = step_;
  call.runtime = piece.runtime.data();
  call.observed = observed_;
  call.loss = loss_;
  name_parameter(plan_, static_cast<int>(piece.parameter), call);
  return call;
}

// In plain order where the optimizer wants that.
template <class Make>
Status HostUpdate::make_call(Piece& piece, bool writes, Make&& make) {
  CallContext context;
  const int parameter = static_cast<int>(piece.parameter);
  plait_optimizer_call call = call_for(piece);
  if (!optimizer_.plain() || !PlainCopy::is_needed(plan_, parameter))
    return failed(piece, context, make(context, call));
  const plait_optimizer_call stored = call;
  CallContext layers(plan_.options().lanes, plan_.options().parallel_for);
  layers.set_device(plan_.options().device_ops, plan_.options().device, nullptr);
  PLAIT_TRY(failed(piece, layers, copy_.take(layers, parameter, call)));
  PLAIT_TRY(failed(piece, context, make(context, call)));
  return writes ? failed(piece, layers, copy_.put_back(layers, parameter, stored)) : Status();
}

Status HostUpdate::failed(const Piece& piece, CallContext& context, int code) const {
  if (code == PLAIT_OK) return {};
  return context.status(code).at("update of " + plan_.network().parameters[piece.parameter].name);
}

Status HostUpdate::observe() {
  double sum = 0;
  for (Piece& piece : pieces_) {
    if (!has_gradients_) (*before_)(piece.offset, piece.count);
    PLAIT_TRY(make_call(piece, false, [&](CallContext& context, const plait_optimizer_call& call) {
      return optimizer_.observe(context, call, &sum);
    }));
  }
  observed_ = sum;
  has_gradients_ = true;
  return {};
}

Status HostUpdate::step_all() {
  has_failed_ = false;
  failure_ = {};
  const uint64_t count = pieces_.size();
  if (lanes_) {
    lanes_->execute([&] { return parallel_pieces(count, 1, lanes_->count(), step_pieces, this, nullptr); });
  } else {
    step_pieces(this, 0, count);
  }
  return failure_;
}

int HostUpdate::step_pieces(void* user, uint64_t begin, uint64_t end) {
  auto& update = *static_cast<HostUpdate*>(user);
  for (uint64_t p = begin; p < end; ++p) {
    Piece& piece = update.pieces_[p];
    if (!update.has_gradients_) (*update.before_)(piece.offset, piece.count);
    const Status status =
        update.make_call(piece, true, [&update](CallContext& context, const plait_optimizer_call& call) {
          return update.optimizer_.step(context, call);
        });
    if (status) continue;
    if (!update.has_failed_.exchange(true)) update.failure_ = status;
    return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

}  // namespace plait::inline train
