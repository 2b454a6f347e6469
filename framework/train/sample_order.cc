#include "train/sample_order.h"

#include <algorithm>
#include <cmath>
#include <plait/sdk/random.hpp>

#include "base/random_keys.h"

namespace plait::inline train {
namespace {

constexpr int kRounds = 6;

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

int half_bits_for(int64_t n) {
  int half = 1;
  while (half < 31 && (int64_t{1} << (2 * half)) < n) ++half;
  return half;
}

int64_t held_out_of(int64_t records, double fraction) {
  const int64_t wanted = static_cast<int64_t>(std::floor(fraction * static_cast<double>(records) + 0.5));
  return std::clamp<int64_t>(wanted, 0, std::max<int64_t>(records - 1, 0));
}

// Of 64 random bits, without bias worth speaking of: n is far below 2^32 samples.
int64_t scaled(uint64_t bits, int64_t n) {
  const uint64_t m = static_cast<uint64_t>(n);
  return static_cast<int64_t>(((bits >> 32) * m + (((bits & 0xffffffffu) * m) >> 32)) >> 32);
}

}  // namespace

KeyedPermutation::KeyedPermutation(uint64_t key, int64_t n)
    : key_(key), n_(n), half_bits_(half_bits_for(n)) {}

uint64_t KeyedPermutation::mixed(uint64_t epoch, uint64_t value) const {
  const uint32_t mask = (uint32_t{1} << half_bits_) - 1;
  uint32_t left = low(value >> half_bits_), right = low(value) & mask;
  for (uint32_t round = 0; round < kRounds; ++round) {
    const auto block = sdk::philox({right, round, low(epoch), high(epoch)}, {low(key_), high(key_)});
    const uint32_t next = left ^ (block[0] & mask);
    left = right;
    right = next;
  }
  return (uint64_t{left} << half_bits_) | right;
}

int64_t KeyedPermutation::operator()(uint64_t epoch, int64_t place) const {
  uint64_t value = static_cast<uint64_t>(place);
  do {
    value = mixed(epoch, value);
  } while (value >= static_cast<uint64_t>(n_));
  return static_cast<int64_t>(value);
}

RecordSplit::RecordSplit(uint64_t seed, int64_t records, double validation_fraction, bool in_order)
    : records_(records),
      held_out_(held_out_of(records, validation_fraction)),
      in_order_(in_order),
      permutation_(random_key(seed, RandomPurpose::kSplit, "validation"), records) {}

int64_t RecordSplit::training(int64_t index) const {
  return held_out_ == 0 || in_order_ ? index : permutation_(0, index + held_out_);
}

int64_t RecordSplit::validation(int64_t index) const {
  return in_order_ ? training_count() + index : permutation_(0, index);
}

TrainingOrder::TrainingOrder(uint64_t seed, const RecordSplit& split, bool shuffle, int64_t repeat,
                             int64_t block)
    : replacement_key_(random_key(seed, RandomPurpose::kReplacement, "train")),
      split_(split),
      shuffle_(shuffle),
      repeat_(repeat),
      window_(block > 0 ? std::min(block, split.training_count()) : split.training_count()),
      permutation_(random_key(seed, RandomPurpose::kShuffle, "train"), window_),
      last_(random_key(seed, RandomPurpose::kShuffle, "train"), (split.training_count() - 1) % window_ + 1) {}

// Window number w of epoch e is permutation number e W + w, of W windows.
int64_t TrainingOrder::shuffled(int64_t epoch, int64_t place) const {
  const int64_t window = place / window_, windows = (records() - 1) / window_ + 1;
  const KeyedPermutation& permutation = window + 1 == windows ? last_ : permutation_;
  const auto number =
      static_cast<uint64_t>(epoch) * static_cast<uint64_t>(windows) + static_cast<uint64_t>(window);
  return window * window_ + permutation(number, place % window_);
}

SampleRef TrainingOrder::sample(int64_t position) const {
  if (repeat_ > 0) position %= repeat_;
  const int64_t epoch = position / records(), place = position % records();
  const int64_t index = shuffle_ ? shuffled(epoch, place) : place;
  return {split_.training(index), static_cast<uint64_t>(epoch), static_cast<uint64_t>(place)};
}

SampleRef TrainingOrder::replacement(const SampleRef& bad, int attempt) const {
  const auto block = sdk::philox({low(bad.place), (high(bad.place) << 16) ^ static_cast<uint32_t>(attempt),
                                  low(bad.epoch), high(bad.epoch)},
                                 {low(replacement_key_), high(replacement_key_)});
  const int64_t index = scaled((uint64_t{block[0]} << 32) | block[1], records());
  return {split_.training(index), bad.epoch, bad.place};
}

EvaluationOrder::EvaluationOrder(int64_t records, const RecordSplit* split, Part part)
    : records_(records),
      split_(split ? *split : RecordSplit(0, records, 0)),
      is_split_(split != nullptr),
      part_(part) {}

SampleRef EvaluationOrder::at(int64_t position) const {
  int64_t record = position;
  if (is_split_) record = part_ == Part::kTraining ? split_.training(position) : split_.validation(position);
  return {record, 0, static_cast<uint64_t>(position)};
}

SampleRef EvaluationOrder::sample(int64_t position) const { return at(std::min(position, records_ - 1)); }

SampleRef EvaluationOrder::replacement(const SampleRef& bad, int attempt) const {
  SampleRef next = at((static_cast<int64_t>(bad.place) + attempt + 1) % records_);
  next.place = bad.place;
  return next;
}

}  // namespace plait::inline train
