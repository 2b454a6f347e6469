// Rows of an array, and which of them vectors are nearest to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace plait::nearest {

struct Near {
  double distance;
  int64_t row;
};

// Laid out for products with several vectors at once. All numbers are finite.
// Threads: [any]
class Rows {
 public:
  enum class Metric { kEuclidean, kCosine };

  // rows [n, d]. By cosine none has length 0.
  Rows(std::vector<double> rows, size_t d, Metric metric);
  size_t count() const { return rows_.size() / d_; }

  // vectors [m, d] -> [m, k], the k nearest rows of each, the nearest first; of several as near the lowest.
  // Candidates are found by products, x r; their order and distances are those of differences (euclidean:
  // |x - r|), or of the products (cosine: 1 - x r / |x| |r|). k is at most count().
  void nearest(const double* vectors, size_t m, size_t k, std::vector<Near>& to) const;

 private:
  void measure(const double* vector, std::span<Near> found) const;

  std::vector<double> rows_;  // by cosine of length 1
  size_t d_;
  Metric metric_;
  std::vector<double> panels_;  // [ceil(n / 8), d, 8]
  std::vector<double> halves_;  // |r|^2 / 2, by cosine 0; infinite past the last one
};

// Units: of the elements
double length(const double* vector, size_t d);

}  // namespace plait::nearest
