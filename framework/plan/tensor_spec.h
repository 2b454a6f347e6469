// plait_tensor_spec arrays as the border wants them, with the memory behind.
#pragma once
#include <plait/abi.h>

#include <vector>

#include "registry/instance.h"

namespace plait {

class SpecArray {
 public:
  SpecArray() = default;
  explicit SpecArray(const std::vector<PartSpec>& parts) {
    for (const PartSpec& part : parts) add(part);
  }
  void add(const PartSpec& part) {
    names_.push_back(std::make_unique<std::string>(part.name));
    auto spec = std::make_unique<plait_tensor_spec>();
    spec->struct_size = sizeof(plait_tensor_spec);
    spec->dtype = part.dtype;
    spec->rank = static_cast<int32_t>(part.shape.size());
    spec->variable_axis = part.variable_axis;
    for (size_t i = 0; i < part.shape.size() && i < PLAIT_MAX_RANK; ++i) spec->shape[i] = part.shape[i];
    spec->name = names_.back()->c_str();
    pointers_.push_back(spec.get());
    specs_.push_back(std::move(spec));
  }
  const plait_tensor_spec* const* data() const { return pointers_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(pointers_.size()); }

 private:
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<plait_tensor_spec>> specs_;
  std::vector<const plait_tensor_spec*> pointers_;
};

}  // namespace plait
