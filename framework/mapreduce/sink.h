// A sink plugin at work: a result becomes the bytes of a file, which somebody else keeps.
#pragma once
#include <memory>
#include <vector>

#include "base/files.h"
#include "mapreduce/pair_stream.h"
#include "pipeline/job.h"
#include "registry/instance.h"
#include "registry/sink.h"

namespace plait::inline mapreduce {

// Threads: create [setup only]; the rest [one at a time]
class Sink {
 public:
  // Fails with: what the plugin reports.
  static Result<std::unique_ptr<Sink>> create(const Registry& registry, const PluginSpec& spec);

  // Whether it can write such arrays, or pairs whose values are of this kind (PLAIT_VALUE_*).
  // Fails with: kInvalid, or what the plugin says.
  Status check(const std::vector<SinkArraySpec>& arrays) const;
  Status check(uint32_t value) const;
  // Fails with: what the plugin reports, or `write`, or the stream; kPlugin where it takes no notice of a
  // write that failed. `data`: the elements of each array.
  Status write(const std::vector<SinkArraySpec>& arrays, const std::vector<const void*>& data,
               const Files::Writer& write) const;
  // Of sums the numbers that they are.
  Status write(PairStream& pairs, uint32_t value, const Files::Writer& write) const;

 private:
  explicit Sink(const PluginSpec& spec) : spec_(spec) {}
  Status named(const Status& status) const;

  PluginSpec spec_;
  Instance instance_;
};

}  // namespace plait::inline mapreduce
