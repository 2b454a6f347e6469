// Tasks, combiners and reducers of keys at work: an instance, the records or values that it is tried on, and
// what it makes of them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "registry/instance.h"
#include "registry/values.h"
#include "verify/benches/array_recorder.h"
#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"

namespace plait::inline verify {

struct KeyedPair {
  std::string key, value;
  bool operator==(const KeyedPair&) const = default;
};
using Pairs = std::vector<KeyedPair>;

// "pair 3 is ..., but ..."; "" where they are the same.
std::string difference(const Pairs& some, const Pairs& others);

// A plait_emitter that keeps what it is given. Threads: [one at a time]
class PairRecorder {
 public:
  // Refuses from pair `most` on. `value`: PLAIT_VALUE_* that it says it takes; 0: none.
  explicit PairRecorder(uint64_t most = UINT64_MAX, uint32_t value = 0);
  PairRecorder(const PairRecorder&) = delete;
  PairRecorder& operator=(const PairRecorder&) = delete;
  const plait_emitter* raw() const { return &emitter_; }
  void clear() { pairs.clear(), refused = 0; }

  Pairs pairs;           // those taken
  uint64_t refused = 0;  // pairs that came, and were refused

 private:
  static int emit(const plait_emitter* emitter, plait_str key, plait_str value);

  uint64_t most_;
  plait_emitter emitter_{};
};

// plait_values over a list: each is lent from guarded memory of its own size, of which `beyond` is left when
// the next is asked for. Threads: [one at a time]
class ValueList {
 public:
  ValueList(const std::vector<std::string>& values, Poison beyond);
  ValueList(const ValueList&) = delete;
  ValueList& operator=(const ValueList&) = delete;
  const plait_values* raw() const { return &c_; }

 private:
  static int next(const plait_values* values, plait_str* value);

  const std::vector<std::string>& values_;
  const Poison beyond_;
  std::unique_ptr<Guarded> lent_;
  size_t at_ = 0;
  plait_values c_{};
};

// Values of a kind, whose sums stay finite and within an i64. `round` chooses among scales: 0 small whole
// numbers, 1 many scales, 2 edges, 3 ... anything of these.
constexpr uint64_t kValueRounds = 4;
std::vector<std::string> draw_values(Dice& dice, uint32_t kind, size_t count, uint64_t round);

// ---- tasks

struct TaskBench {
  std::shared_ptr<plait_config> config;
  std::vector<PartSpec> parts;
  TaskForm form;
  uint32_t bound = 2;  // of whole numbers that are neither pictures nor text
  Instance instance;
  std::string text() const;
  const plait_task_ops& ops() const { return *instance.ops<plait_task_ops>(); }
};

// What calls of map make of records, in whichever form the task has. Threads: [one at a time]
class MapRecorder {
 public:
  // Refuses pairs, or calls that append rows, from number `most` on. `beyond`: what lies around arrays.
  explicit MapRecorder(const TaskForm& form, uint64_t most = UINT64_MAX, Poison beyond = Poison::kNan);
  void put_into(plait_task_call& call) const;
  void clear();
  // Those emitted; or each accumulator's name with its bytes, of rows all so far.
  Pairs pairs() const;
  uint64_t taken() const { return arrays_ ? arrays_->appended() : pairs_.pairs.size(); }
  uint64_t refused() const { return arrays_ ? arrays_->refused() : pairs_.refused; }
  // "" or what was written around arrays, or to the states.
  std::string misdeed() const { return arrays_ ? arrays_->misdeed() : ""; }
  ArrayRecorder* arrays() const { return arrays_.get(); }  // null for pairs

 private:
  PairRecorder pairs_;
  std::unique_ptr<ArrayRecorder> arrays_;
};

// Infers and creates; no record is mapped.
Result<TaskBench> create_task_bench(Trial& trial, const Example& one, const std::vector<PartSpec>& parts);
// And finds whole numbers that map takes. Fails with: what infer, create or map report.
Result<TaskBench> make_task_bench(Trial& trial, const Example& one, const std::vector<PartSpec>& parts);
// Up to `count` configurations with parts that infer, create and map accept. Fails with: skipped, when there
// is none; what is no refusal in words.
Result<std::vector<TaskBench>> task_benches(Trial& trial, size_t count);

// Contents of records: for each, for each part, all bytes of its bound and the extent that is used.
struct RecordPart {
  std::vector<uint8_t> bytes;
  int32_t length = 0;  // of the variable axis; 0 without one
};
using RecordContents = std::vector<std::vector<RecordPart>>;
RecordContents draw_records(const TaskBench& bench, Dice& dice, size_t count);
// The same with zeros and no length.
RecordContents zero_records(const std::vector<PartSpec>& parts, size_t count);

// Tensors of one call with records [begin, end) of `contents`. What lies past the extent that a variable
// part uses is `beyond`; memory after the tensors cannot be touched. Threads: [one at a time]
class RecordCall {
 public:
  RecordCall(const std::vector<PartSpec>& parts, const RecordContents& contents, size_t begin, size_t end,
             Poison beyond = Poison::kNan);
  RecordCall(const RecordCall&) = delete;
  RecordCall& operator=(const RecordCall&) = delete;
  // Fails with: what map reports.
  Status map(const TaskBench& bench, CallContext& context, const MapRecorder& out);
  // "" or which part was written, in the records or around them.
  std::string misdeed() const;

  struct Part {
    PartSpec spec;  // with N
    Guarded memory, lengths;
    std::vector<uint8_t> kept;
    plait_tensor raw{};
  };
  const std::vector<std::unique_ptr<Part>>& parts() const { return parts_; }

 private:
  int64_t first_, count_, total_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<const plait_tensor*> pointers_;
};

// ---- combiners

struct CombinerBench {
  std::shared_ptr<plait_config> config;
  uint32_t in = 0, out = 0;
  uint32_t bytes = 0;  // of a partial
  Instance instance;
  std::string text() const;
  const plait_combiner_ops& ops() const { return *instance.ops<plait_combiner_ops>(); }
};

// Every kind of value that infer accepts, for up to `count` configurations. Fails with: as task_benches;
// broken, where infer's answer cannot be.
Result<std::vector<CombinerBench>> combiner_benches(Trial& trial, size_t count);

// A partial in guarded memory of exactly its size.
class Partial {
 public:
  explicit Partial(const CombinerBench& bench, Poison poison = Poison::kNan)
      : bench_(bench), memory_(bench.bytes, poison) {}
  Status begin(CallContext& context, const std::string& value);
  Status fold(CallContext& context, const Partial& from);
  std::string bytes() const { return {memory_.as<char>(), memory_.bytes()}; }
  std::string overrun() const { return memory_.overrun(); }
  Guarded& memory() { return memory_; }

 private:
  const CombinerBench& bench_;
  Guarded memory_;
};

// ---- reducers of keys

struct KeyReducerBench {
  std::shared_ptr<plait_config> config;
  uint32_t in = 0, out = 0;
  std::shared_ptr<Instance> instance;
  std::string text() const;
  const plait_reducer_ops& ops() const { return *instance->ops<plait_reducer_ops>(); }
  // Fails with: what reduce reports.
  Status reduce(CallContext& context, std::string_view key, const ValueList& values,
                const PairRecorder& out_pairs) const;
};

bool reduces_keys(const plait_reducer_ops& ops);
// As combiner_benches.
Result<std::vector<KeyReducerBench>> key_reducer_benches(Trial& trial, size_t count);

}  // namespace plait::inline verify
