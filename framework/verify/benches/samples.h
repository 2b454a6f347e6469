// Configurations and tensors for the kinds that are no layers.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "registry/context.h"
#include "registry/instance.h"
#include "verify/benches/device_side.h"
#include "verify/engine/guarded.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

// The hints' examples, the defaults, then drawn configurations that the type's validate accepts; at most
// `count`. Fails with: skipped, when there is none.
Result<std::vector<Example>> config_cases(Trial& trial, size_t count);

// ok when the type has no validate or it accepts.
Status validate(const plait_type& type, const plait_config& config);

// A tensor with guarded memory. Lives where it was made: plugins are given its address.
class SampleTensor {
 public:
  SampleTensor(const PartSpec& spec, Poison poison);
  SampleTensor(const SampleTensor&) = delete;
  SampleTensor& operator=(const SampleTensor&) = delete;

  const plait_tensor* raw() const { return &raw_; }
  const PartSpec& spec() const { return spec_; }
  void set_extents(const int32_t* first, const int32_t* second) {
    raw_.lengths = first, raw_.second_lengths = second;
  }
  // Plugins are given a twin on the device from now on.
  Status lend_to(DeviceSide& side);
  Guarded& memory() { return memory_; }
  const Guarded& memory() const { return memory_; }
  uint64_t elements() const;
  // Floats uniform in [low, high], integers in 0 .. bound - 1.
  void draw(Dice& dice, double low, double high, uint32_t bound);
  // Element as a number, and back. 16-bit floats are not supported.
  double get(uint64_t place) const;
  void set(uint64_t place, double value);

 private:
  PartSpec spec_;
  Guarded memory_;
  plait_tensor raw_{};
};

// Whether two tensors of one spec, without N, hold the same bytes within `extents` along their variable axes:
// what lies past them means nothing.
bool same_within(const SampleTensor& a, const SampleTensor& b, const int32_t* const extents[2]);

// A sub-batch [begin, end) of a tensor whose first axis is N.
std::unique_ptr<SampleTensor> slice(const SampleTensor& whole, int64_t begin, int64_t end);

// Calls work(n) on `count` threads at once, each with the host's floating-point mode; the first text that is
// not "".
std::string at_once(size_t count, const std::function<std::string(size_t n)>& work);

}  // namespace plait::inline verify
