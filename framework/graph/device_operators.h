// The operators at the end of a chain of samples that run on the device, a batch at a time: those that have
// an implementation for it. What they are given travels to the device as the operator before them has left
// it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/device.h"
#include "graph/replica.h"
#include "graph/sample_chain.h"

namespace plait::inline graph {

// Instances, shared by all that make batches. Borrows chain and device.
// Threads: create [setup only]; the rest [any]
class DeviceOperators {
 public:
  struct One {
    const ChainOperator* op = nullptr;
    const plait_augmenter_ops* ops = nullptr;
    void* self = nullptr;
    uint64_t workspace = 0;  // bytes, of a batch
  };

  // As many operators as follow each other up to the end of the chain, have an implementation for the device
  // and do not refuse (kUnsupported); none where the host can touch the device's memory, where an operator
  // works on whole batches, a part varies, or batches have other types than what the last operator gives.
  // Fails with: what the plugins report otherwise, naming the operator.
  static Result<std::unique_ptr<DeviceOperators>> create(const SampleChain& chain, Device& device, int batch);
  ~DeviceOperators();
  DeviceOperators(const DeviceOperators&) = delete;
  DeviceOperators& operator=(const DeviceOperators&) = delete;

  // In the order of the chain.
  const std::vector<One>& all() const { return all_; }
  // Number in the chain of the first of them; that of all operators where there are none.
  size_t first() const { return first_; }
  const SampleChain& chain() const { return chain_; }
  Device& device() const { return device_; }

 private:
  DeviceOperators(const SampleChain& chain, Device& device) : chain_(chain), device_(device) {}
  bool are_allowed() const;
  Result<bool> add(size_t number, int batch);

  const SampleChain& chain_;
  Device& device_;
  std::vector<One> all_;
  size_t first_ = 0;
};

// Memory for one batch on its way through them. Does not move. Threads: [one at a time]
class DeviceStages {
 public:
  // Fails with: what the device reports.
  static Result<std::unique_ptr<DeviceStages>> create(const DeviceOperators& operators, int batch,
                                                      Stream& stream);
  // From parts that lie on the device, [N, ...], as the operator before has left them. `samples`: of the
  // batch, in their places. Queues; wait for the stream. Fails with: what the plugins report.
  Status run(std::span<void* const> parts, std::span<const SampleRef> samples, Stream& stream);
  // Number of the part that went in and comes out as `part`, untouched in the last run; -1: it was written.
  int passed_on(size_t part) const { return origins_.back()[part]; }
  // What came out, always at the same addresses.
  Batch& batch() { return batch_; }

 private:
  // What an operator gives, and what it says of it.
  struct Level {
    std::vector<DeviceMemory> memory;
    std::vector<plait_tensor> tensors;
    std::vector<const plait_tensor*> pointers;
    std::vector<uint8_t> written;
    // By part: where it lies, in this level's memory or an earlier one's.
    std::vector<void*> data;
  };
  explicit DeviceStages(const DeviceOperators& operators) : operators_(operators) {}
  Status add_level(const std::vector<PartSpec>& parts, int batch, Stream& stream, bool own_memory);
  Status make_random(std::span<const SampleRef> samples, Stream& stream);
  Status apply(size_t number, Stream& stream);
  Status pass_on(size_t number, bool is_last, Stream& stream);
  const std::vector<PartSpec>& parts(size_t level) const;

  const DeviceOperators& operators_;
  std::vector<std::vector<PartSpec>> shapes_;   // by level, with N: the views refer to them
  std::vector<std::unique_ptr<Level>> levels_;  // the first: what goes in
  std::vector<std::vector<int>> origins_;       // by level and part
  DeviceMemory workspace_, random_;
  HostMemory random_here_;
  size_t samples_ = 0;
  Batch batch_;
};

}  // namespace plait::inline graph
