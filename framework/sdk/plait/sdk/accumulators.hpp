// Accumulators: arrays that a task fills in place of emitting pairs. What the splits have of an array becomes
// one by the array's rule; finish makes outputs of the whole, or asks for another pass over the records.
//
// Threads: Accumulated and Pass belong to one call.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "parts.hpp"

namespace plait::sdk {

// What a task says of its arrays. Each has a name of its own among those of its sort; a shape of {} is one
// number.
class Accumulators {
 public:
  using ChangedByHook = void;

  // f64, from 0. A split's is added up by map as it likes; the splits' sum is the same whatever their order,
  // and rounded once.
  void sum(std::string_view name, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_SUM, name, DType::f64, std::move(shape));
  }
  // The same over the number of records.
  void mean(std::string_view name, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_MEAN, name, DType::f64, std::move(shape));
  }
  // f64, from +infinity and -infinity, which stay where nothing was met.
  void minimum(std::string_view name, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_MINIMUM, name, DType::f64, std::move(shape));
  }
  void maximum(std::string_view name, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_MAXIMUM, name, DType::f64, std::move(shape));
  }
  // i64, from 0.
  void count(std::string_view name, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_COUNT, name, DType::i64, std::move(shape));
  }
  // Rows of that shape, in the order of the records, as many as are appended.
  void rows(std::string_view name, DType dtype, std::vector<int64_t> shape = {}) {
    add(PLAIT_ACCUMULATE_ROWS, name, dtype, std::move(shape));
  }
  // What finish leaves to the next pass; zeros in the first one.
  void state(std::string_view name, DType dtype, std::vector<int64_t> shape = {}) {
    states_.emplace_back(name, dtype, std::move(shape));
  }
  // What finish makes. Where none is declared, the accumulators are the outputs.
  void output(std::string_view name, DType dtype, std::vector<int64_t> shape = {}) {
    outputs_.emplace_back(name, dtype, std::move(shape));
  }

  // From here on for the SDK.
  struct Accumulator {
    uint32_t rule;
    PartSpec spec;
  };
  const std::vector<Accumulator>& accumulators() const { return accumulators_; }
  const std::vector<PartSpec>& states() const { return states_; }
  const std::vector<PartSpec>& outputs() const { return outputs_; }

 private:
  void add(uint32_t rule, std::string_view name, DType dtype, std::vector<int64_t> shape) {
    accumulators_.push_back({rule, {name, dtype, std::move(shape)}});
  }
  std::vector<Accumulator> accumulators_;
  std::vector<PartSpec> states_, outputs_;
};

namespace detail {

inline uint32_t place_among(const plait_tensor* const* tensors, uint32_t count, std::string_view name,
                            const char* sort) {
  for (uint32_t i = 0; i < count; ++i)
    if (name == tensors[i]->name) return i;
  throw Error("the task declares no ", sort, " \"", name, "\"");
}

}  // namespace detail

// The arrays of a split, in map.
class Accumulated {
 public:
  using ChangedByHook = void;
  explicit Accumulated(const plait_task_call* call) : c_(call) {}

  // All elements of an accumulator but of rows: double, and int64_t of a count. To be added to, or lowered,
  // or raised, as its rule has it.
  template <class V = double>
  std::span<V> data(std::string_view name) {
    const Tensor array(c_->accumulators[place(name)]);
    if (array.raw() == nullptr) throw Error("\"", name, "\" takes rows, by append");
    return array.data<V>();
  }
  // Rows after those that the split has so far.
  template <class V>
  void append(std::string_view name, std::span<const V> rows) {
    const uint32_t at = place(name);
    const Tensor array(c_->accumulators[at]);
    if (array.raw() != nullptr) throw Error("\"", name, "\" takes no rows");
    if (!detail::holds<V>(array.dtype())) throw Error("rows ", array, " hold other elements than given");
    size_t row = 1;
    for (const int64_t extent : array.shape()) row *= static_cast<size_t>(extent);
    if (rows.size() % row != 0) throw Error("\"", name, "\": ", rows.size(), " elements are no rows of ", row);
    const auto count = static_cast<int64_t>(rows.size() / row);
    if (c_->rows->append(c_->rows, at, count, rows.data()) != PLAIT_OK)
      throw Error("the rows were refused");  // the host has said why
  }
  // What finish left after the pass before.
  template <class V>
  std::span<const V> state(std::string_view name) const {
    return Tensor(c_->states[detail::place_among(c_->states, c_->n_states, name, "state")]).data<V>();
  }

  int64_t pass() const { return c_->pass; }    // from 0
  int64_t total() const { return c_->total; }  // records of the stage's input, bad ones among them
  // The same in all calls of a pass: word numbers of its at() belong to records.
  Random random() const { return Random(c_->rng); }

 private:
  uint32_t place(std::string_view name) const {
    return detail::place_among(c_->accumulators, c_->n_accumulators, name, "accumulator");
  }
  const plait_task_call* c_;
};

// The end of a pass, in finish.
class Pass {
 public:
  using ChangedByHook = void;
  explicit Pass(const plait_task_finish* call) : c_(call) {}

  int64_t number() const { return c_->pass; }      // from 0
  int64_t records() const { return c_->records; }  // that were mapped in it
  // Of all records.
  template <class V = double>
  std::span<const V> accumulated(std::string_view name) const {
    return Tensor(c_->accumulators[detail::place_among(c_->accumulators, c_->n_accumulators, name,
                                                       "accumulator")])
        .template data<V>();
  }
  // Of this pass; to be written for the next.
  template <class V>
  std::span<V> state(std::string_view name) {
    return Tensor(c_->states[detail::place_among(c_->states, c_->n_states, name, "state")]).data<V>();
  }
  // Zeros, to be written in the last pass.
  template <class V>
  std::span<V> output(std::string_view name) {
    return Tensor(c_->outputs[detail::place_among(c_->outputs, c_->n_outputs, name, "output")]).data<V>();
  }
  Random random() const { return Random(c_->rng); }

 private:
  const plait_task_finish* c_;
};

}  // namespace plait::sdk
