// A combiner plugin at work: values of one key become one.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "pipeline/job.h"
#include "registry/instance.h"
#include "registry/values.h"

namespace plait::inline mapreduce {

// Threads: create [setup only]; the rest [any]
class Combiner {
 public:
  // For values of `in`. Fails with: what the plugin reports; kPlugin when its answers cannot be.
  static Result<std::unique_ptr<Combiner>> create(const Registry& registry, const PluginSpec& spec,
                                                  uint32_t in);

  uint32_t kind() const { return kind_; }  // of what values are folded into
  size_t bytes() const { return bytes_; }
  bool is_commutative() const { return is_commutative_; }

  // Memory of both is aligned to 16 bytes and has bytes(). False: the call's context knows why.
  bool begin(CallContext& context, std::string_view value, void* partial) const {
    return ops_->begin(self_, context.raw(), {value.data(), value.size()}, partial) == PLAIT_OK;
  }
  bool fold(CallContext& context, void* into, const void* from) const {
    return ops_->fold(self_, context.raw(), into, from) == PLAIT_OK;
  }
  // After one that was false.
  Status failure(CallContext& context, std::string_view key) const;

 private:
  Combiner() = default;
  Instance instance_;
  const plait_combiner_ops* ops_ = nullptr;
  const void* self_ = nullptr;
  uint32_t kind_ = 0;
  size_t bytes_ = 0;
  bool is_commutative_ = false;
};

// A key in messages: at most 40 bytes of it, in quotes.
std::string shown_key(std::string_view key);

}  // namespace plait::inline mapreduce
