// Which record is trained on when: an endless row of epochs, each a permutation of the training records.
//
// Sample of step t, shard k, place i of a batch of B, with K shards: position p = (t K + k) B + i. Epoch e =
// p / n holds n = records() positions; the place within it goes through a keyed bijection of 0..n-1. So a
// record is met once an epoch, and n need not divide by K B.
//
// The bijection is a Feistel network of six rounds over the smallest 4^h >= n, whose function is Philox
// 4x32-10, and cycle walking: numbers >= n are sent through again until one is below n. Source: Black,
// Rogaway 2002, "Ciphers with arbitrary finite domains", section 5; Salmon et al. 2011 (Philox).
//
// Of a source whose records come in order each window of `block` records has a bijection of its own, and the
// windows stay in order: a place is never further from its record than a window is long.
#pragma once
#include <cstdint>

#include "graph/sample.h"

namespace plait::inline train {

// A bijection of 0..n-1. Threads: [any]
class KeyedPermutation {
 public:
  // `key`: random_key of base/random_keys.h; the counter's upper half is the epoch.
  KeyedPermutation(uint64_t key, int64_t n);
  // Where `place` goes in permutation number `epoch`.
  int64_t operator()(uint64_t epoch, int64_t place) const;

 private:
  uint64_t mixed(uint64_t epoch, uint64_t value) const;
  uint64_t key_;
  int64_t n_;
  int half_bits_;
};

// A source's records, split in two: a fixed subset for validation, drawn by the seed, and the rest for
// training. Where they come in order the last are those for validation, and both stay in order.
struct RecordSplit {
  RecordSplit(uint64_t seed, int64_t records, double validation_fraction, bool in_order = false);
  // Record number of the index-th training or validation record.
  int64_t training(int64_t index) const;
  int64_t validation(int64_t index) const;
  int64_t training_count() const { return records_ - held_out_; }
  int64_t validation_count() const { return held_out_; }

 private:
  int64_t records_;
  int64_t held_out_;  // round(fraction * records), and at least one record is left for training
  bool in_order_;
  KeyedPermutation permutation_;
};

// The order of training. Threads: [any]
class TrainingOrder final : public SampleOrder {
 public:
  // `repeat`: only positions 0..repeat-1 are met, over and over (0: off). Without `shuffle` epochs are in
  // record order. `block`: records of a window; 0: all.
  TrainingOrder(uint64_t seed, const RecordSplit& split, bool shuffle, int64_t repeat = 0, int64_t block = 0);
  SampleRef sample(int64_t position) const override;
  // A training record drawn by (seed, epoch, place, attempt).
  SampleRef replacement(const SampleRef& bad, int attempt) const override;
  int64_t records() const { return split_.training_count(); }

 private:
  uint64_t replacement_key_;
  RecordSplit split_;
  bool shuffle_;
  int64_t shuffled(int64_t epoch, int64_t place) const;
  int64_t repeat_;
  int64_t window_;                       // records of a window; all of them where there are no windows
  KeyedPermutation permutation_, last_;  // of a window, and of the last, which may be shorter
};

// The order of evaluation: position p is record p of a part of a split, or of the whole source.
// Positions past the end meet the last record again (they fill a batch and are not counted).
class EvaluationOrder final : public SampleOrder {
 public:
  enum class Part { kValidation, kTraining };
  explicit EvaluationOrder(int64_t records) : EvaluationOrder(records, nullptr, Part::kValidation) {}
  explicit EvaluationOrder(const RecordSplit& split, Part part = Part::kValidation)
      : EvaluationOrder(part == Part::kTraining ? split.training_count() : split.validation_count(), &split,
                        part) {}
  SampleRef sample(int64_t position) const override;
  // The next record that is not bad, going round.
  SampleRef replacement(const SampleRef& bad, int attempt) const override;
  int64_t records() const { return records_; }

 private:
  EvaluationOrder(int64_t records, const RecordSplit* split, Part part);
  SampleRef at(int64_t position) const;
  int64_t records_;
  RecordSplit split_;
  bool is_split_;
  Part part_;
};

// Every record itself: what is written for one is of no other.
class EveryRecord final : public SampleOrder {
 public:
  explicit EveryRecord(const SampleOrder& order) : order_(order) {}
  SampleRef sample(int64_t position) const override { return order_.sample(position); }
  SampleRef replacement(const SampleRef& bad, int) const override { return bad; }
  bool replaces() const override { return false; }

 private:
  const SampleOrder& order_;
};

}  // namespace plait::inline train
