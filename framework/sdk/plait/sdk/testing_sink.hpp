// Sinks on the test host. See testing.hpp.
//
//   SinkTest test(host, csv, Settings(csv));
//   CHECK(test.arrays({{"mean", DType::f64, {2}}}, {record_of<double>({1, 2})}) == "mean\n1\n2\n");
//   CHECK(test.pairs(Value::kI64, {{"to", value_of(int64_t{3})}}) == "key,value\nto,3\n");
//   test.room_bytes = 10;  // the disk is full then
#pragma once
#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "sink.hpp"
#include "testing_keyed.hpp"

namespace plait::sdk::testing {

// plait_pairs over a list. Each pair is lent from memory that the next call of next overwrites.
class TestPairs {
 public:
  TestPairs(Value value, std::vector<Pair> pairs) : pairs_(std::move(pairs)) {
    c_.struct_size = sizeof c_;
    c_.value = static_cast<uint32_t>(value);
    c_.host_data = this;
    c_.next = [](const plait_pairs* asked, plait_str* key, plait_str* value_of_it) {
      return static_cast<TestPairs*>(asked->host_data)->next(*key, *value_of_it);
    };
  }
  TestPairs(const TestPairs&) = delete;
  TestPairs& operator=(const TestPairs&) = delete;
  const plait_pairs* c() const { return &c_; }

 private:
  int next(plait_str& key, plait_str& value) {
    std::fill(lent_.first.begin(), lent_.first.end(), '\xFF');
    std::fill(lent_.second.begin(), lent_.second.end(), '\xFF');
    if (at_ == pairs_.size()) return 0;
    lent_ = pairs_[at_++];
    key = {lent_.first.data(), lent_.first.size()};
    value = {lent_.second.data(), lent_.second.size()};
    return 1;
  }

  std::vector<Pair> pairs_;
  Pair lent_;
  size_t at_ = 0;
  plait_pairs c_{};
};

// A sink, and what it writes.
class SinkTest {
 public:
  SinkTest(TestHost& host, const Entry& entry, Settings settings)
      : host_(host),
        rules_(*static_cast<const plait_sink_rules*>(entry.type.rules)),
        ops_(*static_cast<const plait_sink_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    taker_ = {sizeof taker_, 0, this, [](const plait_byte_taker* taker, plait_str bytes) {
                return static_cast<SinkTest*>(taker->host_data)->take({bytes.data, bytes.size});
              }};
    host_.check(ops_.create(host_.context(), settings_.c(), &self_));
  }
  ~SinkTest() {
    if (self_) ops_.destroy(self_);
  }
  SinkTest(const SinkTest&) = delete;
  SinkTest& operator=(const SinkTest&) = delete;

  size_t room_bytes = SIZE_MAX;  // more are refused

  std::vector<std::string> endings() const { return {rules_.endings, rules_.endings + rules_.n_endings}; }

  // The file of these arrays, whose elements are `bytes` (record_of). columns: names of those of array i.
  std::string arrays(const std::vector<PartSpec>& specs, const std::vector<std::string>& bytes,
                     const std::vector<std::vector<std::string>>& columns = {}) {
    const Given given(specs, bytes, columns);
    check(specs, columns);
    return written(
        [&] { return ops_.write_arrays(self_, host_.context(), given.count(), given.list.data(), &taker_); });
  }
  // What the sink says of arrays that are not there yet; fails where it refuses them.
  void check(const std::vector<PartSpec>& specs, const std::vector<std::vector<std::string>>& columns = {}) {
    if (rules_.check_arrays == nullptr) return;
    const Given given(specs, {}, columns);
    host_.check(rules_.check_arrays(host_.context(), settings_.c(), given.count(), given.list.data()));
  }
  // The file of these pairs.
  std::string pairs(Value value, const std::vector<Pair>& list) {
    const TestPairs in(value, list);
    const auto kind = static_cast<uint32_t>(value);
    if (rules_.check_pairs) host_.check(rules_.check_pairs(host_.context(), settings_.c(), kind));
    return written([&] { return ops_.write_pairs(self_, host_.context(), in.c(), &taker_); });
  }

 private:
  // Arrays as the host gives them; without bytes as it describes them.
  struct Given {
    Given(const std::vector<PartSpec>& specs, const std::vector<std::string>& bytes,
          const std::vector<std::vector<std::string>>& columns) {
      for (size_t i = 0; i < specs.size(); ++i) {
        plait_tensor& tensor = tensors.emplace_back();
        tensor = {sizeof tensor,
                  static_cast<uint32_t>(specs[i].dtype),
                  static_cast<int32_t>(specs[i].shape.size()),
                  -1,
                  specs[i].shape.data(),
                  nullptr,
                  nullptr,
                  specs[i].name.c_str(),
                  nullptr,
                  -1,
                  0};
        if (!bytes.empty()) {
          if (bytes.at(i).size() != specs[i].bytes())
            throw std::runtime_error("the bytes of " + specs[i].name + " are not those of its shape");
          // In memory of the element's alignment, with nothing after it.
          std::vector<uint64_t>& block = memory.emplace_back((bytes[i].size() + 7) / 8);
          std::copy(bytes[i].begin(), bytes[i].end(), reinterpret_cast<char*>(block.data()));
          tensor.data = block.data();
        }
        std::vector<const char*>& names = column_names.emplace_back();
        if (i < columns.size())
          for (const std::string& name : columns[i]) names.push_back(name.c_str());
        all.push_back({sizeof(plait_sink_array), static_cast<uint32_t>(names.size()), &tensor, names.data()});
      }
      for (const plait_sink_array& one : all) list.push_back(&one);
    }
    Given(const Given&) = delete;
    Given& operator=(const Given&) = delete;
    uint32_t count() const { return static_cast<uint32_t>(list.size()); }
    std::deque<plait_tensor> tensors;
    std::deque<std::vector<uint64_t>> memory;
    std::deque<std::vector<const char*>> column_names;
    std::deque<plait_sink_array> all;
    std::vector<const plait_sink_array*> list;
  };

  template <class Call>
  std::string written(Call call) {
    file_.clear();
    refused_ = insists_ = false;
    host_.check(call());
    if (insists_) throw std::runtime_error("the sink appends after bytes were refused");
    if (refused_) throw std::runtime_error("the sink succeeds, and bytes of it were refused");
    return file_;
  }
  int take(std::string_view bytes) {
    insists_ |= refused_;
    if (bytes.size() > room_bytes - std::min(room_bytes, file_.size())) {
      refused_ = true;
      return PLAIT_FAILED;
    }
    file_ += bytes;
    return PLAIT_OK;
  }

  TestHost& host_;
  const plait_sink_rules& rules_;
  const plait_sink_ops& ops_;
  Settings settings_;
  plait_byte_taker taker_{};
  std::string file_;
  bool refused_ = false, insists_ = false;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
