// Tasks of accumulators on the test host. See testing.hpp.
//
//   AccumulatingTaskTest task(host, moments, Settings(moments), {{"image", DType::u8, {2}}});
//   do {
//     task.map({{"\1\2"}, {"\3\4"}});      // two records, each with the bytes of its parts
//     task.map({{record_of<uint8_t>({5, 6})}});  // one more
//   } while (task.finish());
//   CHECK(task.output<double>("mean") == std::vector<double>{3, 4});
//
// All records are of one split: how a host folds those of several is left out.
#pragma once
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "accumulators.hpp"
#include "testing_host.hpp"
#include "testing_records.hpp"

namespace plait::sdk::testing {

// Bytes of a part of these elements.
template <class V>
std::string record_of(const std::vector<V>& elements) {
  return std::string(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(V));
}

namespace detail {

// What a task's infer says.
class AccumulatorsTaken {
 public:
  AccumulatorsTaken() {
    builder_.struct_size = sizeof builder_;
    builder_.host_data = this;
    builder_.keyed = [](const plait_task_builder*, uint32_t) { return int{PLAIT_FAILED}; };
    builder_.accumulator = [](const plait_task_builder* asked, uint32_t rule, const plait_tensor_spec* spec) {
      const bool is_count = rule == PLAIT_ACCUMULATE_COUNT;
      const bool is_right = rule == PLAIT_ACCUMULATE_ROWS ||
                            spec->dtype == (is_count ? uint32_t{PLAIT_I64} : uint32_t{PLAIT_F64});
      of(asked).rules.push_back(rule);
      return is_right ? add(of(asked).accumulators, spec) : int{PLAIT_FAILED};
    };
    builder_.state = [](const plait_task_builder* asked, const plait_tensor_spec* spec) {
      return add(of(asked).states, spec);
    };
    builder_.output = [](const plait_task_builder* asked, const plait_tensor_spec* spec) {
      return add(of(asked).outputs, spec);
    };
  }
  AccumulatorsTaken(const AccumulatorsTaken&) = delete;
  AccumulatorsTaken& operator=(const AccumulatorsTaken&) = delete;
  const plait_task_builder* c() const { return &builder_; }

  std::vector<uint32_t> rules;  // of the accumulators
  std::vector<PartSpec> accumulators, states, outputs;

 private:
  static AccumulatorsTaken& of(const plait_task_builder* asked) {
    return *static_cast<AccumulatorsTaken*>(asked->host_data);
  }
  static int add(std::vector<PartSpec>& specs, const plait_tensor_spec* spec) {
    for (const PartSpec& other : specs)
      if (other.name == spec->name) return PLAIT_FAILED;
    specs.emplace_back(Spec(spec));
    return specs.back().variable_axis < 0 ? PLAIT_OK : PLAIT_FAILED;
  }

  plait_task_builder builder_{};
};

}  // namespace detail

// A task made for records of the parts `in`.
class AccumulatingTaskTest {
 public:
  AccumulatingTaskTest(TestHost& host, const Entry& entry, Settings settings, std::vector<PartSpec> in)
      : host_(host),
        ops_(*static_cast<const plait_task_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)),
        in_(std::move(in)) {
    const SpecList specs(in_);
    const auto& rules = *static_cast<const plait_task_rules*>(entry.type.rules);
    host_.check(rules.infer(host_.context(), settings_.c(), specs.size(), specs.data(), said_.c()));
    for (const PartSpec& spec : said_.accumulators) accumulators_.emplace_back(spec);
    for (const PartSpec& spec : said_.states) zeros(states_, spec);
    for (const PartSpec& spec : said_.outputs) zeros(outputs_, spec);
    taker_ = {sizeof taker_, 0, this, append};
    host_.check(ops_.create(host_.context(), settings_.c(), specs.size(), specs.data(), &self_));
    begin();
  }
  ~AccumulatingTaskTest() {
    if (self_) ops_.destroy(self_);
  }
  AccumulatingTaskTest(const AccumulatingTaskTest&) = delete;
  AccumulatingTaskTest& operator=(const AccumulatingTaskTest&) = delete;

  int64_t total = 0;  // what the task is told that there are; set before map by a test of a task that asks
  plait_rng rng{1, 2};

  // One call with the records that follow those of the calls before.
  void map(const RecordBytes& records) {
    const auto parts = batches(in_, records);
    const auto tensors = pointers(parts);
    const auto accumulators = views();
    const auto states = pointers(states_);
    plait_task_call call{};
    call.struct_size = sizeof call;
    call.n_parts = static_cast<uint32_t>(tensors.size());
    call.first = records_;
    call.count = static_cast<int64_t>(records.size());
    call.parts = tensors.data();
    call.total = total;
    call.pass = pass_;
    call.n_accumulators = static_cast<uint32_t>(accumulators.list.size());
    call.n_states = static_cast<uint32_t>(states.size());
    call.accumulators = accumulators.list.data();
    call.states = states.data();
    call.rows = &taker_;
    call.rng = rng;
    host_.check(ops_.map(self_, host_.context(), &call));
    records_ += call.count;
    check_ends(accumulators_);
  }

  // Ends the pass. True: another is wanted, and has begun; accumulators are as for no record.
  // Fails as the host does where a sum is no number.
  bool finish() {
    take_means();
    if (!ops_.finish) return false;
    std::deque<TestTensor> rows;
    const auto accumulators = finished(rows);
    const auto states = pointers(states_), outputs = pointers(outputs_);
    plait_task_finish call{};
    call.struct_size = sizeof call;
    call.n_accumulators = static_cast<uint32_t>(accumulators.size());
    call.n_states = static_cast<uint32_t>(states.size());
    call.n_outputs = static_cast<uint32_t>(outputs.size());
    call.records = records_;
    call.pass = pass_;
    call.accumulators = accumulators.data();
    call.states = states.data();
    call.outputs = outputs.data();
    call.rng = {rng.key + 1, rng.counter_high};
    host_.check(ops_.finish(self_, host_.context(), &call));
    check_ends(states_);
    check_ends(outputs_);
    if (call.another == 0) return false;
    ++pass_;
    begin();
    return true;
  }

  int64_t passes() const { return pass_ + 1; }
  // By name, all elements; of rows all that were appended in this pass. Fails when there is none.
  template <class V = double>
  std::vector<V> accumulated(std::string_view name) const {
    const size_t at = place(said_.accumulators, name);
    if (said_.rules[at] != PLAIT_ACCUMULATE_ROWS) return elements<V>(accumulators_[at]);
    const TestTensor rows = rows_of(at);
    return elements<V>(rows);
  }
  template <class V = double>
  std::vector<V> state(std::string_view name) const {
    return elements<V>(states_[place(said_.states, name)]);
  }
  template <class V = double>
  std::vector<V> output(std::string_view name) const {
    return elements<V>(outputs_[place(said_.outputs, name)]);
  }
  // What infer said of it.
  const PartSpec& output_spec(std::string_view name) const {
    return said_.outputs[place(said_.outputs, name)];
  }

 private:
  struct Views {
    std::deque<plait_tensor> tensors;
    std::vector<const plait_tensor*> list;
  };

  static void zeros(std::deque<TestTensor>& to, const PartSpec& spec) {
    const TestTensor& tensor = to.emplace_back(spec);
    std::memset(tensor.view().raw(), 0, spec.bytes());
  }
  static size_t place(const std::vector<PartSpec>& specs, std::string_view name) {
    for (size_t i = 0; i < specs.size(); ++i)
      if (specs[i].name == name) return i;
    throw std::runtime_error("the task declares no \"" + std::string(name) + "\"");
  }
  template <class V>
  static std::vector<V> elements(const TestTensor& tensor) {
    const std::span<V> all = tensor.data<V>();
    return std::vector<V>(all.begin(), all.end());
  }
  static void check_ends(const std::deque<TestTensor>& tensors) {
    for (const TestTensor& tensor : tensors)
      if (!tensor.intact()) throw std::runtime_error("wrote past the end of " + text(tensor.view()));
  }
  static int append(const plait_row_taker* taker, uint32_t accumulator, int64_t count, const void* rows) {
    auto& self = *static_cast<AccumulatingTaskTest*>(taker->host_data);
    if (accumulator >= self.rows_.size() || self.said_.rules[accumulator] != PLAIT_ACCUMULATE_ROWS ||
        count < 0)
      return PLAIT_FAILED;
    self.rows_[accumulator].append(static_cast<const char*>(rows),
                                   self.said_.accumulators[accumulator].bytes() * static_cast<size_t>(count));
    return PLAIT_OK;
  }

  void begin() {
    records_ = 0;
    rows_.assign(accumulators_.size(), "");
    for (size_t i = 0; i < accumulators_.size(); ++i) {
      std::memset(accumulators_[i].view().raw(), 0, accumulators_[i].spec().bytes());
      const bool is_least = said_.rules[i] == PLAIT_ACCUMULATE_MINIMUM;
      if (!is_least && said_.rules[i] != PLAIT_ACCUMULATE_MAXIMUM) continue;
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      for (double& value : accumulators_[i].data<double>()) value = is_least ? kInfinity : -kInfinity;
    }
  }
  // As map sees them: rows without data.
  Views views() const {
    Views made;
    for (size_t i = 0; i < accumulators_.size(); ++i) {
      plait_tensor& tensor = made.tensors.emplace_back(*accumulators_[i].c());
      if (said_.rules[i] == PLAIT_ACCUMULATE_ROWS) tensor.data = nullptr;
      made.list.push_back(&tensor);
    }
    return made;
  }
  TestTensor rows_of(size_t accumulator) const {
    PartSpec spec = said_.accumulators[accumulator];
    const std::string& bytes = rows_[accumulator];
    spec.shape.insert(spec.shape.begin(), static_cast<int64_t>(bytes.size() / spec.bytes()));
    TestTensor tensor(spec);
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(tensor.view().raw()));
    return tensor;
  }
  // As finish sees them: rows [number of rows, ...].
  std::vector<const plait_tensor*> finished(std::deque<TestTensor>& rows) const {
    std::vector<const plait_tensor*> list;
    for (size_t i = 0; i < accumulators_.size(); ++i) {
      const bool has_rows = said_.rules[i] == PLAIT_ACCUMULATE_ROWS;
      list.push_back(has_rows ? rows.emplace_back(rows_of(i)).c() : accumulators_[i].c());
    }
    return list;
  }
  void take_means() {
    for (size_t i = 0; i < accumulators_.size(); ++i) {
      const bool is_mean = said_.rules[i] == PLAIT_ACCUMULATE_MEAN;
      if (!is_mean && said_.rules[i] != PLAIT_ACCUMULATE_SUM) continue;
      for (double& value : accumulators_[i].data<double>()) {
        if (!std::isfinite(value))
          throw std::runtime_error("a sum of " + said_.accumulators[i].name + " is no number");
        if (is_mean) value /= static_cast<double>(std::max<int64_t>(1, records_));
      }
    }
  }

  TestHost& host_;
  const plait_task_ops& ops_;
  Settings settings_;
  const std::vector<PartSpec> in_;
  detail::AccumulatorsTaken said_;
  std::deque<TestTensor> accumulators_, states_, outputs_;
  std::vector<std::string> rows_;  // by accumulator; bytes
  plait_row_taker taker_{};
  int64_t records_ = 0, pass_ = 0;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
