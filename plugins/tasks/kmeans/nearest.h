// Which of some centres a vector is nearest to.
#pragma once
#include <plait/sdk.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace plait::kmeans {

// Elements as f32, rounded where they have more digits. f32, f64, u8, i32, i64.
void to_f32(const sdk::Tensor& values, float* to);

// |x - y|^2: differences in f32, their squares and the sum in f64.
double squared_distance(const float* x, const float* y, size_t d);

// Laid out for products with eight vectors at once.
class Centres {
 public:
  // centres [k, d].
  Centres(std::span<const float> centres, size_t k, size_t d);

  // Of exactly these?
  bool are(std::span<const float> centres) const;

  // vectors [count, d] -> the number of the nearest centre of each; of several as near, the lowest. Distances
  // are compared in f32, about the mean of the centres, so that data far from 0 lose nothing by it, and those
  // that f32 cannot tell apart in f64.
  void nearest(const float* vectors, size_t count, uint32_t* to) const;

 private:
  float rounding(const float* shifted) const;
  uint32_t nearest_in_f64(const float* vector) const;

  const std::vector<float> given_;
  size_t k_, d_;
  std::vector<float> mean_;    // of the centres
  std::vector<float> zeros_;   // [d]
  double longest_ = 0;         // length of a centre, less the mean
  std::vector<float> panels_;  // [ceil(k / 16), d, 16], less the mean
  std::vector<float> halves_;  // [ceil(k / 16), 8 times the same, 16], |c|^2 / 2; infinite past the last
};

}  // namespace plait::kmeans
