// Eigenvectors of a covariance.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace plait::pca {

// Of a symmetric matrix [d, d] the largest eigenvalues, falling and never below 0, and their vectors of
// length 1 as rows [variance.size(), d], each with its element of greatest magnitude (of several the first)
// positive. Throws sdk::Error, numeric, when they are not found. Threads: [any]
void main_directions(const std::vector<double>& covariance, size_t d, std::span<double> variance,
                     std::span<double> rows);

}  // namespace plait::pca
