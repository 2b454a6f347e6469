// Tasks, combiners and reducers of keys on the test host. See testing.hpp.
//
//   TaskTest task(host, count, Settings(count).set("ngram", 2), {{"text", DType::u8, {64}, 0}});
//   task.map({{"to be or"}, {"not"}});           // two records, each with the bytes of its parts
//   CHECK(task.out.pairs[0] == Pair{"to be", value_of(int64_t{1})});
//
//   CombinerTest add(host, sum, Settings(sum), Value::kF64);
//   const std::string folded = add.fold(values_of<double>({1, 2, 3}));
//
//   ReducerTest add_all(host, sum, Settings(sum), Value::kF64);
//   CHECK(add_all.reduce("key", values_of<double>({1, 2})) == values_of<double>({3}));
#pragma once
#include <algorithm>
#include <cmath>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "keyed.hpp"
#include "testing_host.hpp"
#include "testing_records.hpp"

namespace plait::sdk::testing {

using Pair = std::pair<std::string, std::string>;  // key, bytes of the value

// Bytes of values: int64_t, double, plait_sum.
template <class T>
std::string value_of(const T& value) {
  return std::string(bytes_of(value));
}
template <class T>
std::vector<std::string> values_of(const std::vector<T>& values) {
  std::vector<std::string> bytes;
  for (const T& value : values) bytes.push_back(value_of(value));
  return bytes;
}

// A plait_emitter that records what it is given, and refuses what the host would: keys that are too long,
// values that are no `kind`, everything after `most` pairs.
class PairsTaken {
 public:
  explicit PairsTaken(Value kind) : kind_(kind) {
    c_.struct_size = sizeof c_;
    c_.host_data = this;
    c_.emit = [](const plait_emitter* emitter, plait_str key, plait_str value) {
      return static_cast<PairsTaken*>(emitter->host_data)
          ->take({key.data, key.size}, {value.data, value.size});
    };
  }
  PairsTaken(const PairsTaken&) = delete;
  PairsTaken& operator=(const PairsTaken&) = delete;
  const plait_emitter* c() const { return &c_; }

  size_t most = SIZE_MAX;
  std::vector<Pair> pairs;

 private:
  int take(std::string_view key, std::string_view value) {
    if (pairs.size() >= most || key.size() > PLAIT_MAX_KEY || !fits(value)) return PLAIT_FAILED;
    pairs.emplace_back(key, value);
    return PLAIT_OK;
  }
  bool fits(std::string_view value) const {
    if (kind_ == Value::kBytes) return value.size() <= PLAIT_MAX_VALUE;
    if (kind_ == Value::kSum) return value.size() == sizeof(plait_sum);
    return value.size() == 8 && (kind_ != Value::kF64 || std::isfinite(value_as<double>(value)));
  }

  const Value kind_;
  plait_emitter c_{};
};

// plait_values over a list. Each value is lent from memory that the next call of next overwrites.
class TestValues {
 public:
  explicit TestValues(std::vector<std::string> values) : values_(std::move(values)) {
    c_.struct_size = sizeof c_;
    c_.host_data = this;
    c_.next = [](const plait_values* asked, plait_str* value) {
      return static_cast<TestValues*>(asked->host_data)->next(*value);
    };
  }
  TestValues(const TestValues&) = delete;
  TestValues& operator=(const TestValues&) = delete;
  const plait_values* c() const { return &c_; }

 private:
  int next(plait_str& value) {
    std::fill(lent_.begin(), lent_.end(), '\xFF');
    if (at_ == values_.size()) return 0;
    lent_ = values_[at_++];
    value = {lent_.data(), lent_.size()};
    return 1;
  }

  std::vector<std::string> values_;
  std::string lent_;
  size_t at_ = 0;
  plait_values c_{};
};

// A task made for records of the parts `in`.
class TaskTest {
 public:
  TaskTest(TestHost& host, const Entry& entry, Settings settings, std::vector<PartSpec> in)
      : emits(infer(host, entry, settings, in)),
        out(emits),
        host_(host),
        ops_(*static_cast<const plait_task_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)),
        in_(std::move(in)) {
    const SpecList specs(in_);
    host_.check(ops_.create(host_.context(), settings_.c(), specs.size(), specs.data(), &self_));
  }
  ~TaskTest() {
    if (self_) ops_.destroy(self_);
  }
  TaskTest(const TaskTest&) = delete;
  TaskTest& operator=(const TaskTest&) = delete;

  const Value emits;
  PairsTaken out;  // of all calls of map

  // One call with these records: for each its parts, in order, as bytes. Of a part with a variable axis as
  // many as there are; of another all.
  void map(const RecordBytes& records, int64_t first = 0) {
    const auto parts = batches(in_, records);
    const auto tensors = pointers(parts);
    plait_task_call call{};
    call.struct_size = sizeof call;
    call.n_parts = static_cast<uint32_t>(tensors.size());
    call.first = first;
    call.count = static_cast<int64_t>(records.size());
    call.parts = tensors.data();
    call.out = out.c();
    host_.check(ops_.map(self_, host_.context(), &call));
  }

 private:
  static Value infer(TestHost& host, const Entry& entry, const Settings& settings,
                     const std::vector<PartSpec>& in) {
    const SpecList specs(in);
    Value emits{};
    plait_task_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = &emits;
    builder.keyed = [](const plait_task_builder* asked, uint32_t value) {
      *static_cast<Value*>(asked->host_data) = static_cast<Value>(value);
      return int{PLAIT_OK};
    };
    const auto& rules = *static_cast<const plait_task_rules*>(entry.type.rules);
    host.check(rules.infer(host.context(), settings.c(), specs.size(), specs.data(), &builder));
    return emits;
  }

  TestHost& host_;
  const plait_task_ops& ops_;
  Settings settings_;
  const std::vector<PartSpec> in_;
  void* self_ = nullptr;
};

// A combiner made for values of kind `in`.
class CombinerTest {
 public:
  CombinerTest(TestHost& host, const Entry& entry, Settings settings, Value in)
      : host_(host),
        ops_(*static_cast<const plait_combiner_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    const auto& rules = *static_cast<const plait_combiner_rules*>(entry.type.rules);
    uint32_t out = 0;
    const auto kind = static_cast<uint32_t>(in);
    host_.check(rules.infer(host_.context(), settings_.c(), kind, &out, &bytes_));
    folds_into = static_cast<Value>(out);
    host_.check(ops_.create(host_.context(), settings_.c(), kind, &self_));
  }
  ~CombinerTest() {
    if (self_) ops_.destroy(self_);
  }
  CombinerTest(const CombinerTest&) = delete;
  CombinerTest& operator=(const CombinerTest&) = delete;

  Value folds_into{};

  // The partial that `value` begins.
  std::string begin(const std::string& value) {
    Partial partial;
    host_.check(ops_.begin(self_, host_.context(), {value.data(), value.size()}, partial.bytes));
    return std::string(partial.bytes, bytes_);
  }
  // Two partials as one.
  std::string fold(const std::string& into, const std::string& from) {
    Partial first, second;
    std::copy(into.begin(), into.end(), first.bytes);
    std::copy(from.begin(), from.end(), second.bytes);
    host_.check(ops_.fold(self_, host_.context(), first.bytes, second.bytes));
    return std::string(first.bytes, bytes_);
  }
  // Values, one or more, from left to right.
  std::string fold(const std::vector<std::string>& values) {
    std::string folded = begin(values.at(0));
    for (size_t i = 1; i < values.size(); ++i) folded = fold(folded, begin(values[i]));
    return folded;
  }

 private:
  struct Partial {
    alignas(16) char bytes[PLAIT_MAX_PARTIAL];
  };

  TestHost& host_;
  const plait_combiner_ops& ops_;
  Settings settings_;
  uint32_t bytes_ = 0;
  void* self_ = nullptr;
};

// A reducer of keys made for values of kind `in`.
class ReducerTest {
 public:
  ReducerTest(TestHost& host, const Entry& entry, Settings settings, Value in)
      : host_(host),
        ops_(*static_cast<const plait_reducer_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)),
        in_(static_cast<uint32_t>(in)) {
    const auto& rules = *static_cast<const plait_reducer_rules*>(entry.type.rules);
    uint32_t out = 0;
    host_.check(rules.infer(host_.context(), settings_.c(), in_, &out));
    emits = static_cast<Value>(out);
    host_.check(ops_.create(host_.context(), settings_.c(), &self_));
  }
  ~ReducerTest() {
    if (self_) ops_.destroy(self_);
  }
  ReducerTest(const ReducerTest&) = delete;
  ReducerTest& operator=(const ReducerTest&) = delete;

  Value emits{};

  // What comes out for the values of one key. Fails when the reducer does, or emits under another key.
  std::vector<std::string> reduce(const std::string& key, const std::vector<std::string>& values) {
    const TestValues in(values);
    const PairsTaken out(emits);
    host_.check(ops_.reduce(self_, host_.context(), in_, {key.data(), key.size()}, in.c(), out.c()));
    std::vector<std::string> emitted;
    for (const auto& [under, value] : out.pairs) {
      if (under != key) throw std::runtime_error("the reducer emits under another key");
      emitted.push_back(value);
    }
    return emitted;
  }

 private:
  TestHost& host_;
  const plait_reducer_ops& ops_;
  Settings settings_;
  const uint32_t in_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
