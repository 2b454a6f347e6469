// Any type at work, whatever its kind: laws that hold for all kinds are written once, against this.
#pragma once
#include <plait/kinds.h>

#include <memory>
#include <string>
#include <vector>

#include "registry/context.h"
#include "verify/engine/guarded.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

enum class Role {
  kRead,     // given to be read: inputs, parameters, gradients from above
  kState,    // read and written: buffers, slots, sums
  kWritten,  // results
  kScratch   // workspace, saved memory: its content means nothing
};

struct WorkBlock {
  std::string name;
  Guarded* memory;
  uint32_t dtype;
  Role role;
  int64_t low = 0, high = 0;  // whole numbers, low <= x < high; equal: any numbers
};

// Contents of the blocks that are results or state.
using Snapshot = std::vector<std::vector<uint8_t>>;

// An instance with memory for the calls of one step (forward and backward; observe and step; ...) and values
// in it. Threads: [one at a time], as many as wanted side by side.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual std::string text() const = 0;    // configuration and shapes
  virtual CallContext& context() = 0;      // of all its calls
  virtual Status keep_on_device(bool on);  // see DeviceSide::keep_there
  const std::vector<WorkBlock>& blocks() const { return blocks_; }

  // What scratch memory holds when the calls begin: a pattern, or what calls before left there.
  enum class Scratch { kPattern, kUsed };
  // Puts back what was read and what the state was, fills the rest with a pattern, and makes the calls.
  // Fails with: what the plugin reports.
  Status run(Scratch scratch = Scratch::kPattern);
  // The calls alone, on whatever the memory holds.
  Status run_on() { return calls(); }
  // What the memory holds now is what run() puts back from now on; or what it held before.
  using Kept = Snapshot;
  void keep();
  const Kept& kept() const { return first_; }
  void keep(const Kept& before) { first_ = before; }
  // Numbers of any bits in all that is read and in the state, and keeps them. `round` chooses among kinds of
  // numbers.
  void draw_any_bits(Dice& dice, uint64_t round);
  // Usual numbers, -1 to 1, in what is read and of floating point.
  void draw_usual(Dice& dice);
  static constexpr uint64_t kRounds = 7, kDenormals = 4;

  Snapshot results() const;
  // "" or the first block that differs: "output 0".
  std::string difference(const Snapshot& other) const;
  // "" or which guard was written, or what was written that is given to be read.
  std::string misdeed() const;
  uint64_t bytes() const;  // of all blocks but scratch
  uint64_t elements() const;

 protected:
  void own(std::string name, Guarded& memory, uint32_t dtype, Role role);
  // The block owned last holds whole numbers, low <= x < high: the host lets no others through.
  void keep_within(int64_t low, int64_t high) { blocks_.back().low = low, blocks_.back().high = high; }
  virtual Status calls() = 0;

 private:
  std::vector<WorkBlock> blocks_;
  Snapshot first_;  // of every block
};

using Workers = std::vector<std::unique_ptr<Worker>>;

// Up to `count` workers for different configurations or shapes, each an instance of its own. The same dice
// give the same workers. `lanes` is what contexts say; loops run one piece after the other. Fails with:
// skipped, when nothing is found that the type accepts.
Result<Workers> make_workers(Trial& trial, size_t count, int lanes = 1);
// The same by kind, for make_workers: layer_workers, loss_workers, ...
#define PLAIT_KIND_WORKERS(kind, Name, ops) \
  Result<Workers> kind##_workers(Trial& trial, size_t count, int lanes);
PLAIT_KINDS(PLAIT_KIND_WORKERS)
#undef PLAIT_KIND_WORKERS
// Of reducers of keys alone; reducer_workers chooses.
Result<Workers> key_reducer_workers(Trial& trial, size_t count);

}  // namespace plait::inline verify
