// The order of samples: bijections, splits, and values that must never change.
#include "train/sample_order.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "base/random_keys.h"

namespace plait::inline train {
namespace {

KeyedPermutation keyed(uint64_t seed, RandomPurpose purpose, int64_t n) {
  return KeyedPermutation(random_key(seed, purpose, "train"), n);
}

std::vector<int64_t> row(const KeyedPermutation& permutation, uint64_t epoch, int64_t n) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(permutation(epoch, i));
  return values;
}

TEST_CASE("a permutation is a bijection for every size") {
  for (int64_t n : {1, 2, 3, 4, 5, 16, 17, 100, 1023, 1024, 1025, 60000}) {
    const std::vector<int64_t> values = row(keyed(7, RandomPurpose::kShuffle, n), 3, n);
    const std::set<int64_t> distinct(values.begin(), values.end());
    CHECK(distinct.size() == static_cast<size_t>(n));
    CHECK(*distinct.begin() == 0);
    CHECK(*distinct.rbegin() == n - 1);
  }
}

TEST_CASE("seed, purpose and epoch each change it") {
  const auto base = row(keyed(7, RandomPurpose::kShuffle, 64), 0, 64);
  CHECK(base != row(keyed(8, RandomPurpose::kShuffle, 64), 0, 64));
  CHECK(base != row(keyed(7, RandomPurpose::kSplit, 64), 0, 64));
  CHECK(base != row(keyed(7, RandomPurpose::kShuffle, 64), 1, 64));
}

TEST_CASE("golden values: a run of today replays tomorrow") {
  // Worked out by a second program, written from the description in sample_order.h alone.
  CHECK(row(keyed(1, RandomPurpose::kShuffle, 10), 0, 10) ==
        std::vector<int64_t>{1, 4, 6, 0, 7, 9, 3, 5, 8, 2});
  CHECK(row(keyed(1, RandomPurpose::kShuffle, 1000), 5, 5) == std::vector<int64_t>{385, 174, 815, 498, 456});
}

TEST_CASE("an epoch meets every training record once, and no held-out one") {
  const RecordSplit split(5, 100, 0.2);
  CHECK(split.training_count() == 80);
  CHECK(split.validation_count() == 20);
  const TrainingOrder order(5, split, true);
  std::set<int64_t> held_out;
  for (int64_t i = 0; i < 20; ++i) held_out.insert(split.validation(i));
  CHECK(held_out.size() == 20);
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::set<int64_t> met = held_out;
    for (int64_t i = 0; i < 80; ++i) {
      const SampleRef sample = order.sample(epoch * 80 + i);
      CHECK(sample.epoch == static_cast<uint64_t>(epoch));
      CHECK(sample.place == static_cast<uint64_t>(i));
      met.insert(sample.record);
    }
    CHECK(met.size() == 100);
  }
}

TEST_CASE("without shuffling and without a split records come in order") {
  const TrainingOrder order(5, RecordSplit(5, 10, 0), false);
  CHECK(order.sample(13).record == 3);
  CHECK(order.sample(13).epoch == 1);
}

TEST_CASE("a replacement depends on epoch, place and attempt, and is a training record") {
  const RecordSplit split(5, 1000, 0.5);
  const TrainingOrder order(5, split, true);
  std::set<int64_t> held_out, drawn;
  for (int64_t i = 0; i < 500; ++i) held_out.insert(split.validation(i));
  for (uint64_t place = 0; place < 20; ++place)
    for (int attempt = 0; attempt < 3; ++attempt)
      drawn.insert(order.replacement({1, 2, place}, attempt).record);
  for (int64_t record : drawn) CHECK(held_out.count(record) == 0);
  CHECK(drawn.size() > 40);
  CHECK(order.replacement({1, 2, 3}, 0).record == order.replacement({9, 2, 3}, 0).record);
}

TEST_CASE("records that come in order are shuffled within windows, each of its own, and met once an epoch") {
  constexpr int64_t kRecords = 103, kBlock = 10;
  const TrainingOrder order(5, RecordSplit(5, kRecords, 0), true, 0, kBlock);
  std::set<std::vector<int64_t>> windows;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::set<int64_t> met;
    for (int64_t place = 0; place < kRecords; ++place) {
      const int64_t record = order.sample(epoch * kRecords + place).record;
      CHECK(record / kBlock == place / kBlock);
      met.insert(record);
    }
    CHECK(met.size() == kRecords);
    for (int64_t window = 0; window < kRecords / kBlock; ++window) {
      std::vector<int64_t> within;
      for (int64_t i = 0; i < kBlock; ++i)
        within.push_back(order.sample(epoch * kRecords + window * kBlock + i).record - window * kBlock);
      windows.insert(within);
    }
  }
  CHECK(windows.size() > 25);  // of 30, of 10! orders
  // One window as long as all is no window.
  const TrainingOrder whole(5, RecordSplit(5, 50, 0), true), one(5, RecordSplit(5, 50, 0), true, 0, 50);
  for (int64_t p = 0; p < 120; ++p) CHECK(whole.sample(p).record == one.sample(p).record);
}

TEST_CASE("records that come in order stay in order when some are held out") {
  const RecordSplit split(5, 100, 0.2, true);
  for (int64_t i = 0; i < 80; ++i) CHECK(split.training(i) == i);
  for (int64_t i = 0; i < 20; ++i) CHECK(split.validation(i) == 80 + i);
}

TEST_CASE("overfitting meets the first positions over and over") {
  const TrainingOrder order(5, RecordSplit(5, 100, 0), true, 8);
  for (int64_t p = 0; p < 8; ++p) CHECK(order.sample(p).record == order.sample(p + 16).record);
}

TEST_CASE("evaluation goes through a whole source, or a split's part, and stays within it") {
  const EvaluationOrder whole(10);
  CHECK(whole.sample(4).record == 4);
  CHECK(whole.sample(12).record == 9);
  CHECK(whole.replacement(whole.sample(9), 0).record == 0);
  const RecordSplit split(3, 50, 0.2);
  const EvaluationOrder part(split);
  CHECK(part.records() == 10);
  CHECK(part.sample(2).record == split.validation(2));
}

}  // namespace
}  // namespace plait::inline train
