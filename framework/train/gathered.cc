#include "train/gathered.h"

#include <algorithm>

#include "train/round_sums.h"

namespace plait::inline train {

GatheredLayout::GatheredLayout(const Plan& plan, const std::vector<SlotInfo>& slots) : plan_(&plan) {
  const auto add_length = [this](uint64_t length) {
    lengths_.push_back(length);
    count_ += length;
  };
  add_trained(0, -1, nullptr);
  add_length(plan.trained_elements());
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterInfo& info = plan.network().parameters[i];
    if (!info.buffer || !is_reduced(info.reduce)) continue;
    const uint64_t stored = plan.parameters()[i].stored;
    tensors_.push_back({info.name, PLAIT_REDUCED_BUFFER, i, -1, info.reduce, count_, stored, info.name});
    add_length(stored);
  }
  for (size_t s = 0; s < slots.size(); ++s) {
    if (!is_reduced(slots[s].reduce)) continue;
    add_trained(count_, static_cast<int>(s), &slots[s]);
    add_length(plan.trained_elements());
  }
}

// `info`: null for the parameters themselves, which are averaged whatever they declare.
void GatheredLayout::add_trained(uint64_t first, int slot, const SlotInfo* info) {
  for (size_t i = 0; i < plan_->parameters().size(); ++i) {
    const ParameterPlace& place = plan_->parameters()[i];
    if (!place.trained) continue;
    const std::string& name = plan_->network().parameters[i].name;
    GatheredTensor tensor{
        name, PLAIT_REDUCED_PARAMETER, i, slot, PLAIT_REDUCE_MEAN32, first + place.offset, place.stored,
        name};
    if (info != nullptr) {
      tensor.what = PLAIT_REDUCED_SLOT;
      tensor.name = name + "." + info->name;
      tensor.reduce = info->reduce;
      tensor.name_in_files = "slot " + std::to_string(slot) + "/" + name;
    }
    tensors_.push_back(std::move(tensor));
  }
}

Status GatheredLayout::clear_padding(std::vector<float>& vector) const {
  std::vector<float> clean(vector.size()), plain;
  for (const GatheredTensor& tensor : tensors_) {
    const auto from = vector.begin() + static_cast<ptrdiff_t>(tensor.first);
    if (tensor.count == elements(tensor)) {
      std::copy_n(from, tensor.count, clean.begin() + static_cast<ptrdiff_t>(tensor.first));
      continue;
    }
    plain.resize(elements(tensor));
    PLAIT_TRY(unpack(tensor, vector, plain.data()));
    PLAIT_TRY(pack(tensor, plain.data(), clean));
  }
  vector.swap(clean);
  return {};
}

Status GatheredLayout::unpack(const GatheredTensor& tensor, std::span<const float> vector,
                              float* plain) const {
  return plan_->unpack_at(tensor.parameter, vector.data() + tensor.first, plain);
}

Status GatheredLayout::pack(const GatheredTensor& tensor, const float* plain, std::span<float> vector) const {
  return plan_->pack_at(tensor.parameter, plain, vector.data() + tensor.first);
}

uint64_t GatheredLayout::elements(const GatheredTensor& tensor) const {
  return plan_->network().parameters[tensor.parameter].elements;
}

const std::vector<int64_t>& GatheredLayout::shape(const GatheredTensor& tensor) const {
  return plan_->network().parameters[tensor.parameter].shape;
}

}  // namespace plait::inline train
