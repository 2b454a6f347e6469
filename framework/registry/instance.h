// Instances of plugins that need nothing but their configuration (and augmenters, which also need the parts),
// with the children that are in it.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/config.h"
#include "registry/context.h"
#include "registry/parts.h"
#include "registry/registry.h"
#include "registry/task_form.h"

namespace plait::inline registry {

// Owns `self`, a copy of the configuration that it was made with, and its children: children are made before
// their parent and destroyed after it. The copy keeps apart what two instances of one configuration know of
// their children. Threads: create and destroy [setup only]; the rest [any].
class Instance {
 public:
  Instance() = default;
  ~Instance() { reset(); }
  Instance(Instance&& other) noexcept { *this = std::move(other); }
  Instance& operator=(Instance&& other) noexcept;

  explicit operator bool() const { return entry_ != nullptr; }
  const TypeEntry& entry() const { return *entry_; }
  void* self() const { return self_; }
  template <class Ops>
  const Ops* ops() const {
    return static_cast<const Ops*>(ops_);
  }
  // As the instance reads it: its config_child answers children.
  const plait_config& config() const { return *config_; }
  // Of a device; empty for the other kinds.
  const plait_device_info& device_info() const { return device_info_; }

 private:
  friend class InstanceMaker;
  void reset();

  const TypeEntry* entry_ = nullptr;
  const void* ops_ = nullptr;
  void* self_ = nullptr;
  void (*destroy_)(void* self) = nullptr;
  std::shared_ptr<plait_config> config_;
  std::vector<Instance> children_;  // in the order of making
  plait_device_info device_info_{};
};

// An optimizer, schedule, reducer, pretrainer, source (open) or device (open). Calls run with `context`.
// Fails with: kInvalid for a kind that needs more than a configuration; kNotFound when the type (or a
// child's) has no implementation for the device, or its own is not loaded; else with what the plugin
// reported.
Result<Instance> create_instance(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                                 const std::string& device_id, CallContext& context);

// An augmenter for samples of these parts. Augmenters inside it are made for the same parts and must keep
// them. Fails with: as create_instance; kInvalid when a child changes the parts; kUnsupported when a child
// wants a pass over the data first, or more memory during a call than the augmenter around it asks for.
Result<Instance> create_augmenter(const Registry& registry, const TypeEntry& entry,
                                  const plait_config& config, const std::vector<PartSpec>& parts,
                                  CallContext& context);

// What a task makes of records of these parts. Nothing is created.
// Fails with: what infer reports; kPlugin when what it says cannot be.
Result<TaskForm> infer_task(const TypeEntry& entry, const plait_config& config,
                            const std::vector<PartSpec>& parts, CallContext& context);

// A task for records of these parts. Fails with: as create_instance.
Result<Instance> create_task(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                             const std::vector<PartSpec>& parts, CallContext& context);

// A combiner for values of this kind (PLAIT_VALUE_*). Fails with: as create_instance.
Result<Instance> create_combiner(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                                 uint32_t value, CallContext& context);

// The parts that come out of an augmenter. Nothing is created; its children are asked too, as in
// create_augmenter.
Result<std::vector<PartSpec>> infer_augmenter(const TypeEntry& entry, const plait_config& config,
                                              const std::vector<PartSpec>& parts, CallContext& context);

// What an opened source says of itself; class names are copied.
struct SourceDescription {
  std::vector<PartSpec> parts;
  bool random_access = true;
  bool blocking = false;
  int64_t records = 0;
  int64_t block = 0;  // records that are shuffled together when access is not random
  uint32_t n_classes = 0;
  std::vector<std::string> class_names;
};

// Places of records go through arithmetic of 64 bits, with batches and epochs.
inline constexpr int64_t kMostRecords = int64_t{1} << 48;

// Of a source that does not know its length the records are counted, up to `most`: where there are more,
// nobody needs the rest.
// Fails with: kInvalid when the source's answers cannot be; else with what it reported.
Result<SourceDescription> describe_source(const Instance& source, CallContext& context,
                                          int64_t most = kMostRecords);

}  // namespace plait::inline registry
