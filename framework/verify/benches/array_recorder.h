// Accumulators of a task at work: the arrays of a split in memory with guards, and the end of a pass.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "registry/context.h"
#include "registry/instance.h"
#include "registry/task_form.h"
#include "verify/engine/guarded.h"

namespace plait::inline verify {

// Tensors that a plugin is given, each in guarded memory. Threads: [one at a time]
class GuardedTensors {
 public:
  explicit GuardedTensors(const char* sort) : sort_(sort) {}
  GuardedTensors(GuardedTensors&&) = default;
  // `rows`: number of rows before the spec's shape; -1: none.
  void add(const PartSpec& spec, Poison beyond, int64_t rows = -1);
  // With a shape, and data NULL.
  void add_without_data(const PartSpec& spec);
  uint32_t count() const { return static_cast<uint32_t>(all_.size()); }
  const plait_tensor* const* raw() const { return pointers_.data(); }
  Guarded& memory(size_t place) { return all_[place]->memory; }
  std::string_view bytes(size_t place) const;
  const std::string& name(size_t place) const { return all_[place]->name; }
  void clear();  // all zeros
  // Remembers what they hold, for changed().
  void keep();
  // "" or `sort "name"`, the first that no longer holds what was kept.
  std::string changed() const;
  // "" or `sort "name": ` and what is wrong around it.
  std::string overrun() const;

 private:
  struct One {
    std::string name;
    std::vector<int64_t> shape;
    Guarded memory;
    std::string kept;
    plait_tensor raw{};
  };
  void push(const PartSpec& spec, std::vector<int64_t> shape, uint64_t bytes, Poison beyond);
  const char* sort_;
  std::vector<std::unique_ptr<One>> all_;
  std::vector<const plait_tensor*> pointers_;
};

// The arrays of one split, and the rows that a task appends. Does not move. Threads: [one at a time]
class ArrayRecorder {
 public:
  // Refuses appended rows from the call `most` on. `beyond`: what lies around the arrays.
  explicit ArrayRecorder(const TaskForm& form, uint64_t most = UINT64_MAX, Poison beyond = Poison::kNan);
  ArrayRecorder(const ArrayRecorder&) = delete;
  ArrayRecorder& operator=(const ArrayRecorder&) = delete;
  // As the rules have it for no record; states are zeros, of pass 0.
  void begin();
  // States of another pass, by their places.
  void begin(int64_t pass, const std::vector<std::string>& states);
  void put_into(plait_task_call& call) const;
  // Of an array, or of all rows so far.
  std::string_view bytes(size_t accumulator) const;
  // "" or the first number that the host takes for no accumulator.
  std::string fault() const;
  // "" or which memory was written around the arrays, or among the states.
  std::string misdeed() const;
  uint64_t appended() const { return appended_; }  // calls that were taken
  uint64_t refused() const { return refused_; }
  const TaskForm& form() const { return form_; }
  std::vector<Guarded*> memory();

 private:
  static int append(const plait_row_taker* taker, uint32_t accumulator, int64_t count, const void* rows);

  const TaskForm form_;
  const uint64_t most_;
  GuardedTensors arrays_{"accumulator"}, states_{"state"};
  std::vector<std::string> rows_;  // by accumulator
  int64_t pass_ = 0;
  uint64_t appended_ = 0, refused_ = 0;
  plait_row_taker taker_{};
};

// What finish makes of a pass.
struct PassEnd {
  std::vector<std::string> states, outputs;
  bool another = false;
  std::string misdeed;  // "" or what was written around its memory, or that is given to be read
};
// "state \"center\"": the first in which they differ; "" where they are the same.
std::string difference(const TaskForm& form, const PassEnd& some, const PassEnd& others);

// A call of finish after `records` records, which one split holds. Fails with: what finish reports.
Result<PassEnd> finish_pass(const Instance& task, CallContext& context, const ArrayRecorder& of, int64_t pass,
                            const std::vector<std::string>& states, int64_t records,
                            Poison beyond = Poison::kNan);

bool has_finish(const Instance& task);
// Of the first pass.
std::vector<std::string> zero_states(const TaskForm& form);

}  // namespace plait::inline verify
