#include "train/not_finite.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace plait::inline train {
namespace {

class Search {
 public:
  Search(const Plan& plan, Replica& replica, const Batch& batch, Stream& stream)
      : plan_(plan), replica_(replica), batch_(batch), stream_(stream) {}

  Result<std::string> run() {
    for (size_t i = 0; i < network().tensors.size(); ++i) {
      const TensorInfo& tensor = network().tensors[i];
      if (tensor.part < 0) continue;
      PLAIT_ASSIGN(const bool bad, tensor_is_bad(static_cast<int>(i)));
      if (bad) return "sample part \"" + tensor.name + "\"";
    }
    for (const Step& step : plan_.steps()) {
      PLAIT_ASSIGN(std::string found, in_step(step));
      if (!found.empty()) return found;
    }
    return std::string();
  }

 private:
  const Network& network() const { return plan_.network(); }

  Result<std::string> in_step(const Step& step) {
    for (int p : step.parameters) {
      const ParameterPlace& place = plan_.parameters()[static_cast<size_t>(p)];
      PLAIT_ASSIGN(const bool bad, is_bad(replica_.weights() + place.offset, place.stored));
      if (bad) return "parameter " + network().parameters[static_cast<size_t>(p)].name;
    }
    for (int t : step.outputs) {
      PLAIT_ASSIGN(const bool bad, tensor_is_bad(t));
      if (bad)
        return "the output of layer \"" + network().nodes[static_cast<size_t>(step.node)].layer->name + "\"";
    }
    return std::string();
  }

  Result<bool> tensor_is_bad(int index) {
    const TensorInfo& tensor = network().tensors[static_cast<size_t>(index)];
    const bool half = tensor.spec.dtype == PLAIT_BF16;
    if (tensor.spec.dtype != PLAIT_F32 && !half) return false;
    uint64_t count = 1;
    for (int64_t extent : tensor.spec.shape) count *= static_cast<uint64_t>(extent);
    const void* data =
        tensor.part >= 0 ? batch_.parts[static_cast<size_t>(tensor.part)] : replica_.tensor(index);
    return half ? is_bad_half(data, count) : is_bad(static_cast<const float*>(data), count);
  }

  Result<bool> is_bad_half(const void* device, uint64_t count) {
    if (device == nullptr) return false;
    half_.resize(count);
    PLAIT_TRY(stream_.copy_out(half_.data(), device, count * sizeof(uint16_t)));
    PLAIT_TRY(stream_.synchronize());
    constexpr uint16_t kExponent = 0x7F80;
    return std::ranges::any_of(half_, [](uint16_t x) { return (x & kExponent) == kExponent; });
  }

  Result<bool> is_bad(const float* device, uint64_t count) {
    if (device == nullptr) return false;
    host_.resize(count);
    PLAIT_TRY(stream_.copy_out(host_.data(), device, count * sizeof(float)));
    PLAIT_TRY(stream_.synchronize());
    return std::ranges::any_of(host_, [](float x) { return !std::isfinite(x); });
  }

  const Plan& plan_;
  Replica& replica_;
  const Batch& batch_;
  Stream& stream_;
  std::vector<float> host_;
  std::vector<uint16_t> half_;  // of bf16
};

}  // namespace

Result<std::string> first_not_finite(const Plan& plan, Replica& replica, const Batch& batch, Stream& stream) {
  return Search(plan, replica, batch, stream).run();
}

}  // namespace plait::inline train
