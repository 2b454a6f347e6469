// Named parts of a sample, owned: what a source gives and an augmenter turns into others.
#pragma once
#include <plait/abi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

// Shapes: without the batch's N.
struct PartSpec {
  std::string name;
  uint32_t dtype = PLAIT_F32;
  std::vector<int64_t> shape;
  int variable_axis = -1;  // shape holds the bound of this axis; -1: none
  int second_axis = -1;    // a second such axis, after the first; -1: none

  // Variable axis number `k`, 0 or 1; -1: none.
  int varying(int k) const { return k == 0 ? variable_axis : second_axis; }
  bool varies() const { return variable_axis >= 0; }
  // The bound of variable axis number `k`, which is there.
  int64_t bound(int k) const { return shape[static_cast<size_t>(varying(k))]; }
  // Borrows the name. At most PLAIT_MAX_RANK extents.
  plait_tensor_spec raw() const;
  bool operator==(const PartSpec&) const = default;
};

// `part` with a first axis more, of `extent`: the batch's.
PartSpec with_batch(const PartSpec& part, int64_t extent);
// The part's types of elements, extents and variable axes, in a tensor without memory. Borrows from `part`.
plait_tensor tensor_of(const PartSpec& part);

// The part of that name, or null.
const PartSpec* find_part(const std::vector<PartSpec>& parts, const std::string& name);

// "image [28, 28, 1] u8"; the bound of a variable axis as "<=28".
std::string part_text(const PartSpec& part);
// Fails with: kInvalid where `tensor` varies along two axes and `type` does not take that. `what`: which it
// is, for the message.
Status check_second_axis(const plait_type& type, const PartSpec& tensor, const std::string& what);
// The second variable axis that a spec says, or -1. `place` is whose it is, for the message.
// Fails with: kInvalid where it is not an axis after the first variable one.
Result<int> second_axis_of(const plait_tensor_spec& spec, const std::string& place);
// Checks and copies: name, dtype, rank, extents >= 1, axis.
// Fails with: kInvalid.
Result<PartSpec> part_of(const plait_tensor_spec& spec);

// Specs in the form that plugins read. Borrows from `parts`, which must outlive it.
class RawParts {
 public:
  explicit RawParts(const std::vector<PartSpec>& parts);
  RawParts(const RawParts&) = delete;
  RawParts& operator=(const RawParts&) = delete;
  uint32_t size() const { return static_cast<uint32_t>(specs_.size()); }
  const plait_tensor_spec* const* data() const { return pointers_.data(); }

 private:
  std::vector<plait_tensor_spec> specs_;
  std::vector<const plait_tensor_spec*> pointers_;
};

// The plait_parts_builder of one call.
class PartsCollector {
 public:
  PartsCollector();
  PartsCollector(const PartsCollector&) = delete;
  PartsCollector& operator=(const PartsCollector&) = delete;
  const plait_parts_builder* raw() const { return &builder_; }
  // The parts named so far; a part that was refused takes precedence over what the call itself reported.
  // Fails with: kInvalid when a part is not acceptable or named twice, or there is none; else `call`'s
  // failure.
  Result<std::vector<PartSpec>> take(const Status& call);

 private:
  static int part(const plait_parts_builder* builder, const plait_tensor_spec* spec);
  Status add(const plait_tensor_spec* spec);

  plait_parts_builder builder_{};
  std::vector<PartSpec> parts_;
  Status refused_;
};

}  // namespace plait::inline registry
