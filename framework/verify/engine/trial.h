// What a law is given: the library or type under test, random draws, and a place to say what is being done.
#pragma once
#include <plait/abi.h>
#include <plait/verify.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/device.h"
#include "registry/config.h"
#include "registry/parts.h"
#include "registry/registry.h"
#include "verify/engine/dice.h"

namespace plait::inline verify {

// One test: a law tried on a library, or on a type on a device.
struct TestName {
  std::string file;
  std::string kind;       // "" for a library
  std::string type_id;    // "" for a library
  std::string device_id;  // "" for a library
  std::string law;
  bool shares_id = false;  // types of other kinds have the id too: the kind is said
  // "acme.swish: law", "acme.swish@acme.gpu: law", "layer acme.crop: law", "acme.plait.so: law"
  std::string text() const;
};

// A configuration with the inputs that a hint names for it.
struct Example {
  std::shared_ptr<plait_config> config;
  std::vector<PartSpec> inputs;
  uint32_t flags = 0;  // PLAIT_VERIFY_*
  uint32_t integer_bound = 0;
};

// Flags for a case that was guessed: those of the examples that name it, by every field that they write, and
// by their inputs where they have some.
uint32_t flags_of(const std::vector<Example>& examples, const plait_config& config,
                  const std::vector<PartSpec>& inputs);

// Where the text of Trial::doing is kept, so that the parent can tell what a crashed test was at.
struct TestProgress {
  char text[1000];
  bool lost_pipe;  // its process closed what it did not open
};

class Trial {
 public:
  // `registry` is null for library laws, which open the file themselves.
  Trial(TestName name, uint64_t seed, const Registry* registry, TestProgress* progress);

  const TestName& name() const { return name_; }
  const std::string& file() const { return name_.file; }
  const Registry& registry() const { return *registry_; }
  const TypeEntry& entry() const { return *entry_; }
  const plait_type& type() const { return *entry_->type; }
  template <class Ops>
  const Ops& ops() const {
    return *static_cast<const Ops*>(entry_->implementations.at(name_.device_id)->ops);
  }
  // Those of the host, which an implementation for a device is compared with. Throws where there are none.
  template <class Ops>
  const Ops& host_ops() const {
    return *static_cast<const Ops*>(entry_->implementations.at(PLAIT_HOST_DEVICE)->ops);
  }
  template <class Rules>
  const Rules& rules() const {
    return *static_cast<const Rules*>(entry_->type->rules);
  }
  Dice& dice() { return dice_; }
  // From now on configurations are drawn over their whole ranges (extreme_configs.h).
  void draw_whole_ranges() { whole_ranges_ = true; }
  bool whole_ranges() const { return whole_ranges_; }
  // The device of an implementation that has one of its own, once open_device has opened it; else null.
  Device* device() const { return device_.get(); }
  // Fails with: skipped, when its plugin is not loaded or it does not open here.
  Status open_device();

  // What is about to be done; shown when the test crashes, hangs or fails.
  void doing(const std::string& text);
  // Told with a test that passes: figures, what was not covered.
  void remark(const std::string& text);
  const std::string& remarks() const { return remarks_; }

  // What the plugin's hints say of this type. An example's flags are those of its own case.
  Result<std::vector<Example>> examples();

 private:
  const plait_verify_hints* hints() const;

  TestName name_;
  const Registry* registry_;
  const TypeEntry* entry_ = nullptr;
  Dice dice_;
  TestProgress* progress_;
  std::unique_ptr<Device> device_;
  std::string remarks_;
  bool whole_ranges_ = false;
};

}  // namespace plait::inline verify
