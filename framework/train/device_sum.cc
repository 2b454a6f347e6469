#include "train/device_sum.h"

#include <algorithm>

namespace plait::inline train {

bool DeviceSum::is_offered(const Device& device) {
  const plait_device_ops* const ops = &device.ops();
  return !device.host_memory() && PLAIT_HAS(ops, add_to_sums) && PLAIT_HAS(ops, mean_of_sums);
}

DeviceSum::DeviceSum(const std::vector<Segment>& segments, uint64_t differences, int64_t total_weight)
    : differences_(differences), total_weight_(total_weight), is_wide_(ExactSum::is_wide(total_weight)) {
  for (const Segment& segment : segments) {
    if (segment.rule != ReduceRule::kMean || segment.count == 0) continue;
    segments_.push_back(segment);
    add_to_runs(segment);
  }
}

void DeviceSum::add_to_runs(const Segment& segment) {
  const bool differs = segment.offset < differences_;
  const bool goes_on = !runs_.empty() && runs_.back().differs == differs &&
                       runs_.back().offset + runs_.back().count == segment.offset;
  if (goes_on)
    runs_.back().count += segment.count;
  else
    runs_.push_back({segment.offset, segment.count, elements_, differs});
  elements_ += segment.count;
}

Result<std::unique_ptr<DeviceSum>> DeviceSum::create(Device& device, const std::vector<Segment>& segments,
                                                     uint64_t differences, int64_t total_weight) {
  std::unique_ptr<DeviceSum> sum(new DeviceSum(segments, differences, total_weight));
  PLAIT_ASSIGN(sum->stream_, Stream::create(device, 1, nullptr));
  PLAIT_TRY(sum->allocate());
  return sum;
}

Status DeviceSum::allocate() {
  const uint64_t wide = elements_ * (is_wide_ ? sizeof(int64_t) : sizeof(int32_t));
  PLAIT_ASSIGN(high_, DeviceMemory::allocate(*stream_, wide));
  PLAIT_ASSIGN(low_, DeviceMemory::allocate(*stream_, wide));
  PLAIT_ASSIGN(window_, DeviceMemory::allocate(*stream_, elements_));
  PLAIT_ASSIGN(not_finite_, DeviceMemory::allocate(*stream_, sizeof(uint32_t)));
  return {};
}

Status DeviceSum::begin() {
  const std::lock_guard lock(mutex_);
  weight_ = 0;
  for (const DeviceMemory* memory : {&high_, &low_, &window_, &not_finite_})
    if (memory->bytes() > 0) PLAIT_TRY(stream_->fill_zero(memory->data(), memory->bytes()));
  return stream_->synchronize();
}

plait_exact_sums DeviceSum::part(const Run& run) const {
  const size_t width = is_wide_ ? sizeof(int64_t) : sizeof(int32_t);
  plait_exact_sums sums{};
  sums.struct_size = sizeof sums;
  sums.is_wide = is_wide_ ? 1 : 0;
  sums.count = run.count;
  sums.high = static_cast<std::byte*>(high_.data()) + run.position * width;
  sums.low = static_cast<std::byte*>(low_.data()) + run.position * width;
  sums.window = static_cast<uint8_t*>(window_.data()) + run.position;
  return sums;
}

Status DeviceSum::add(const Run& run, const float* x, const float* before, int32_t weight) {
  const plait_exact_sums sums = part(run);
  return stream_->add_to_sums(sums, x + run.offset, before == nullptr ? nullptr : before + run.offset, weight,
                              static_cast<uint32_t*>(not_finite_.data()));
}

Status DeviceSum::accumulate(const float* differences, const float* before, const float* rest,
                             int32_t weight) {
  const std::lock_guard lock(mutex_);
  if (weight < 1 || weight > total_weight_ - weight_) return ExactSum::too_heavy(weight, total_weight_);
  weight_ += weight;
  for (const Run& run : runs_)
    PLAIT_TRY(run.differs ? add(run, differences, before, weight) : add(run, rest, nullptr, weight));
  uint32_t not_finite = 0;
  PLAIT_TRY(stream_->copy_out(&not_finite, not_finite_.data(), sizeof not_finite));
  PLAIT_TRY(stream_->synchronize());
  return not_finite == 0 ? Status() : find_not_finite(differences, before, rest);
}

Result<std::vector<float>> DeviceSum::read(const float* from, size_t count) {
  std::vector<float> values(count);
  PLAIT_TRY(stream_->copy_out(values.data(), from, count * sizeof(float)));
  PLAIT_TRY(stream_->synchronize());
  return values;
}

// The host looks for what the device has found.
Status DeviceSum::find_not_finite(const float* differences, const float* before, const float* rest) {
  for (const Segment& segment : segments_) {
    const bool differs = segment.offset < differences_;
    PLAIT_ASSIGN(std::vector<float> values,
                 read((differs ? differences : rest) + segment.offset, segment.count));
    if (differs && before != nullptr) {
      PLAIT_ASSIGN(const std::vector<float> others, read(before + segment.offset, segment.count));
      for (size_t i = 0; i < values.size(); ++i) values[i] -= others[i];
    }
    PLAIT_TRY(check_finite(segment, 0, values));
  }
  return {Code::kPlugin,
          "device " + stream_->device().id() + ": add_to_sums says that a value is not finite, and all are"};
}

Status DeviceSum::give(ExactSum& sum, bool values) {
  const std::lock_guard lock(mutex_);
  if (weight_ == 0) return {};  // no shard was this rank's
  const ExactSum::Given given = sum.given(weight_);
  if (!values || elements_ == 0) return {};
  PLAIT_TRY(stream_->copy_out(given.high.data(), high_.data(), given.high.size()));
  PLAIT_TRY(stream_->copy_out(given.low.data(), low_.data(), given.low.size()));
  PLAIT_TRY(stream_->copy_out(given.window.data(), window_.data(), given.window.size()));
  return stream_->synchronize();
}

Status DeviceSum::mean(std::span<float> out) {
  const std::lock_guard lock(mutex_);
  if (means_.bytes() == 0) {
    PLAIT_ASSIGN(means_, DeviceMemory::allocate(*stream_, elements_ * sizeof(float)));
  }
  auto* const means = static_cast<float*>(means_.data());
  for (const Run& run : runs_) {
    PLAIT_TRY(stream_->mean_of_sums(part(run), static_cast<double>(total_weight_), means + run.position));
    PLAIT_TRY(stream_->copy_out(out.data() + run.offset, means + run.position, run.count * sizeof(float)));
  }
  return stream_->synchronize();
}

}  // namespace plait::inline train
