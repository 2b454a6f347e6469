// Sinks as the host uses them (instance.h makes them): what they can write, and what they are given. Which
// one a file's name means: endings.h.
#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "registry/config.h"
#include "registry/context.h"
#include "registry/parts.h"
#include "registry/registry.h"

namespace plait::inline registry {

bool writes_arrays(const TypeEntry& sink);
bool writes_pairs(const TypeEntry& sink);
// Lays arrays out in rows and columns.
bool is_table(const TypeEntry& sink);

struct SinkArraySpec {
  PartSpec spec;                     // a first extent of -1: rows that nobody has counted yet
  std::vector<std::string> columns;  // names of the places of the second axis; empty: they have none
};

// Whether the sink can write them. Fails with: kInvalid where it writes no such thing at all; what it says.
Status check_arrays(const TypeEntry& sink, const plait_config& config,
                    const std::vector<SinkArraySpec>& arrays, CallContext& context);
Status check_pairs(const TypeEntry& sink, const plait_config& config, uint32_t value, CallContext& context);

// Arrays in the form that plugins read. Borrows both.
class RawSinkArrays {
 public:
  // `data`: the elements of each; empty: they are not there yet.
  RawSinkArrays(const std::vector<SinkArraySpec>& arrays, const std::vector<const void*>& data);
  RawSinkArrays(const RawSinkArrays&) = delete;
  RawSinkArrays& operator=(const RawSinkArrays&) = delete;
  uint32_t size() const { return static_cast<uint32_t>(pointers_.size()); }
  const plait_sink_array* const* data() const { return pointers_.data(); }

 private:
  std::vector<plait_tensor> tensors_;
  std::vector<std::vector<const char*>> columns_;
  std::vector<plait_sink_array> arrays_;
  std::vector<const plait_sink_array*> pointers_;
};

// Where a sink's bytes go. Threads: [one at a time]
class ByteTaker {
 public:
  using Take = std::function<Status(std::string_view bytes)>;
  explicit ByteTaker(Take take);
  ByteTaker(const ByteTaker&) = delete;
  ByteTaker& operator=(const ByteTaker&) = delete;
  const plait_byte_taker* raw() const { return &raw_; }
  // What the sink's call comes to: why `take` refused, where it did; else `called`.
  // Fails with: kPlugin where the sink took no notice of a refusal.
  Status outcome(const Status& called) const;

 private:
  static int append(const plait_byte_taker* taker, plait_str bytes);
  Take take_;
  Status refusal_;
  bool has_insisted_ = false;  // more bytes came after the refusal
  plait_byte_taker raw_{};
};

}  // namespace plait::inline registry
