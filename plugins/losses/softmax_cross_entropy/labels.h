// Class numbers of a batch as one list of i32, whatever the target's element type, with what lies after a
// sample's length, or has no weight, masked.
#pragma once
#include <plait/sdk.hpp>

#include <algorithm>
#include <optional>

#include "kernels.h"

namespace plait::softmax_cross_entropy {

// labels[row]: a class in [0, classes), kMasked, or kBad for a target that is no whole number in that range.
// A target that is `ignore` is masked. Of shares of classes: 0 for a row of finite ones, none negative, whose
// sum is within 1e-3 of 1; else kBad. Shapes: prediction [N, ..., C], target [N, ...] or [N, ..., 1] of i32,
// i64, u8 or f32, or shares [N, ..., C] of f32; weights [N] or empty; labels holds size / C rows.
inline void read_labels(sdk::Tensor prediction, sdk::Tensor target, std::span<const float> weights,
                        std::optional<int64_t> ignore, int32_t* labels);

// Whether the target is shares of all classes, and not a class number for each row.
template <class Shaped>  // Tensor or Spec
bool is_shares(const Shaped& prediction, const Shaped& target) {
  return target.dtype() == sdk::DType::f32 && target.rank() == prediction.rank() &&
         prediction.shape(-1) > 1 && target.shape(-1) == prediction.shape(-1);
}

namespace detail {

template <class V>
void convert(std::span<const V> from, int64_t classes, int32_t* to) {
  for (size_t i = 0; i < from.size(); ++i) {
    const V value = from[i];
    const bool good = value >= V{0} && value < static_cast<V>(classes) &&
                      static_cast<V>(static_cast<int32_t>(value)) == value;
    to[i] = good ? static_cast<int32_t>(value) : kBad;
  }
}

inline void check_shares(std::span<const float> shares, size_t rows, int32_t* labels) {
  const size_t classes = shares.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    double sum = 0;
    bool good = true;
    for (const float share : shares.subspan(row * classes, classes)) {
      good = good && share >= 0 && share <= 2;  // false for NaN
      sum += share;
    }
    labels[row] = good && sum > 1 - 1e-3 && sum < 1 + 1e-3 ? 0 : kBad;
  }
}

inline void mask_weightless(std::span<const float> weights, size_t rows, int32_t* labels) {
  const size_t per_sample = weights.empty() ? 0 : rows / weights.size();
  for (size_t n = 0; n < weights.size(); ++n)
    if (weights[n] == 0) std::fill_n(labels + n * per_sample, per_sample, kMasked);
}

// Along one variable axis of `lengths_of`.
inline void mask(sdk::Tensor lengths_of, int axis, std::span<const int32_t> lengths, size_t rows,
                 int32_t* labels) {
  if (lengths.empty()) return;
  const size_t per_sample = rows / lengths.size();
  const auto extent = static_cast<size_t>(lengths_of.shape(axis));
  size_t before = 1;  // places of a sample up to and with the variable axis
  for (int i = 1; i <= axis; ++i) before *= static_cast<size_t>(lengths_of.shape(i));
  const size_t after = per_sample / before;
  for (size_t n = 0; n < lengths.size(); ++n) {
    for (size_t place = 0; place < per_sample; ++place) {
      const size_t coordinate = place / after % extent;
      if (coordinate >= static_cast<size_t>(lengths[n])) labels[n * per_sample + place] = kMasked;
    }
  }
}

inline void read_numbers(sdk::Tensor target, int64_t classes, int32_t* labels) {
  switch (target.dtype()) {
    case sdk::DType::i32:
      convert<int32_t>(target.data<int32_t>(), classes, labels);
      break;
    case sdk::DType::i64:
      convert<int64_t>(target.data<int64_t>(), classes, labels);
      break;
    case sdk::DType::u8: {
      const auto bytes = target.data<uint8_t>();
      for (size_t i = 0; i < bytes.size(); ++i) labels[i] = bytes[i] < classes ? bytes[i] : kBad;
      break;
    }
    case sdk::DType::f32:
      convert<float>(target.data<float>(), classes, labels);
      break;
    default:
      throw sdk::Error("target is ", target, ", wanted i32, i64, u8 or f32");
  }
}

template <class V>
void mask_equal(std::span<const V> target, int64_t number, int32_t* labels) {
  for (size_t i = 0; i < target.size(); ++i)
    if (static_cast<double>(target[i]) == static_cast<double>(number)) labels[i] = kMasked;
}

inline void mask_number(sdk::Tensor target, int64_t number, int32_t* labels) {
  switch (target.dtype()) {
    case sdk::DType::i32:
      return mask_equal<int32_t>(target.data<int32_t>(), number, labels);
    case sdk::DType::i64:
      return mask_equal<int64_t>(target.data<int64_t>(), number, labels);
    case sdk::DType::u8:
      return mask_equal<uint8_t>(target.data<uint8_t>(), number, labels);
    default:
      return mask_equal<float>(target.f32(), number, labels);
  }
}

}  // namespace detail

inline void read_labels(sdk::Tensor prediction, sdk::Tensor target, std::span<const float> weights,
                        std::optional<int64_t> ignore, int32_t* labels) {
  const int64_t classes = prediction.shape(-1);
  const size_t rows = prediction.size() / static_cast<size_t>(classes);
  if (is_shares(prediction, target)) {
    detail::check_shares(target.f32(), rows, labels);
  } else {
    detail::read_numbers(target, classes, labels);
    if (ignore) detail::mask_number(target, *ignore, labels);
  }
  detail::mask_weightless(weights, rows, labels);
  // A prediction of one row per sample has no positions that a length could mask.
  if (prediction.rank() > 2) {
    const bool has_none = prediction.lengths().empty() && prediction.second_lengths().empty();
    const sdk::Tensor of = has_none ? target : prediction;
    detail::mask(of, of.variable_axis() < 0 ? 1 : of.variable_axis(), of.lengths(), rows, labels);
    detail::mask(of, of.second_axis(), of.second_lengths(), rows, labels);
  }
}

}  // namespace plait::softmax_cross_entropy
