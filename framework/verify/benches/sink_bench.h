// Sinks at work: an instance, the arrays and pairs that it is given, and the bytes that it makes of them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "registry/instance.h"
#include "registry/sink.h"
#include "verify/benches/keyed_bench.h"

namespace plait::inline verify {

struct FilledArray {
  SinkArraySpec spec;
  std::string bytes;
};
using FilledArrays = std::vector<FilledArray>;

// "f32 [5, 3] a, i64 [5] b".
std::string arrays_text(const FilledArrays& arrays);
// Numbers of any magnitude, finite.
FilledArrays draw_arrays(Dice& dice, const std::vector<SinkArraySpec>& specs);
// Lists of arrays as results have them: every element type, up to three axes, no rows, several arrays, names
// of columns.
std::vector<std::vector<SinkArraySpec>> usual_arrays();

struct SinkBench {
  std::shared_ptr<plait_config> config;
  std::shared_ptr<Instance> instance;
  std::string text() const;
  const plait_sink_ops& ops() const { return *instance->ops<plait_sink_ops>(); }

  // Whether it says that it can; fails where it gives no reason.
  Result<bool> takes(const FilledArrays& arrays) const;
  Result<bool> takes(uint32_t value) const;
  // What it writes. The last bytes of `take` are those before it refused. `beyond`: what lies around what it
  // is given. Fails with: what it reports; broken, where it goes on after a refusal, or writes its input.
  Status write(CallContext& context, const FilledArrays& arrays, const ByteTaker::Take& take,
               Poison beyond = Poison::kNan) const;
  Status write(CallContext& context, uint32_t value, const Pairs& pairs, const ByteTaker::Take& take,
               Poison beyond = Poison::kNan) const;
};

// The whole file.
template <class... Input>
Result<std::string> file_of(const SinkBench& bench, const Input&... input) {
  CallContext context;
  std::string file;
  PLAIT_TRY(bench.write(context, input..., [&](std::string_view bytes) {
    file += bytes;
    return Status();
  }));
  return file;
}

// Kinds of values that a sink may be given.
constexpr uint32_t kSinkValues[] = {PLAIT_VALUE_BYTES, PLAIT_VALUE_I64, PLAIT_VALUE_F64};
// Sorted by key; keys, and values of bytes, are small letters.
Pairs draw_sorted_pairs(Dice& dice, uint32_t value, size_t count);

// Up to `count` configurations that create accepts. Fails with: as task_benches.
Result<std::vector<SinkBench>> sink_benches(Trial& trial, size_t count);

}  // namespace plait::inline verify
