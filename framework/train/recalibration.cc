#include "train/recalibration.h"

#include <algorithm>

namespace plait::inline train {
namespace {

std::vector<size_t> measured_buffers(const Plan& plan) {
  std::vector<size_t> measured;
  for (const Step& step : plan.steps()) {
    if (step.mode != PLAIT_MEASURING) continue;
    for (const int buffer : step.buffers) {
      const auto number = static_cast<size_t>(buffer);
      const bool is_known = std::ranges::count(measured, number) > 0;  // of layers that share it
      if (!is_known && is_reduced(plan.network().parameters[number].reduce)) measured.push_back(number);
    }
  }
  return measured;
}

}  // namespace

Result<std::unique_ptr<Recalibration>> Recalibration::create(BlockParts parts, const Transport& transport) {
  parts.measuring = true;
  std::unique_ptr<Recalibration> made(new Recalibration);
  PLAIT_ASSIGN(made->blocks_, Blocks::create(parts, transport.rank(), transport.size()));
  made->measured_ = measured_buffers(made->plan());
  if (made->measured_.empty()) {
    return Status(
        Code::kInvalid,
        "train.recalibrate measures running statistics: got a network without a layer that keeps some "
        "(as batch norm does) and is not frozen; wanted one, or recalibrate: 0");
  }
  PLAIT_ASSIGN(made->sums_, RoundSums::of_buffers(made->plan(), made->measured_, made->blocks_->count()));
  return made;
}

uint64_t Recalibration::bytes() const {
  uint64_t elements = 0;
  for (const size_t number : measured_) elements += plan().parameters()[number].stored;
  // Sums, and what each batch said, until all have.
  return blocks_->bytes() + elements * sizeof(float) * (4 + static_cast<uint64_t>(blocks_->count()));
}

// A copy where the host cannot read the device's memory.
Status Recalibration::add_block(const BlockView& view) {
  const float* values = view.replica.weights();
  const uint64_t begin = view.plan.buffers_offset(), end = view.plan.arena_elements();
  HostArena copy;
  if (!view.stream.device().host_memory()) {
    copy = HostArena(end);
    PLAIT_TRY(view.stream.copy_out(copy.data() + begin, values + begin, (end - begin) * sizeof(float)));
    PLAIT_TRY(view.stream.synchronize());
    values = copy.data();
  }
  return sums_->accumulate({values, end}, {}, 1);
}

Status Recalibration::run(const Plan& plan, HostArena& weights, Transport& transport) {
  PLAIT_TRY(sums_->begin());
  const auto add = [this](const BlockView& view) { return add_block(view); };
  const auto meet = [this, &transport] { return sums_->reduce(transport); };
  PLAIT_TRY(blocks_->run(plain_weights_in(plan, weights), {add, meet}));
  HostArena means(this->plan().arena_elements());
  PLAIT_TRY(sums_->mean(means.span()));
  for (const size_t number : measured_) {
    const ParameterPlace &from = this->plan().parameters()[number], &to = plan.parameters()[number];
    std::copy_n(means.data() + from.offset, from.stored, weights.data() + to.offset);
  }
  return {};
}

}  // namespace plait::inline train
