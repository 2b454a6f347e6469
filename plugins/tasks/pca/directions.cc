#include "directions.h"

#include <plait/sdk/error.hpp>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace plait::pca {

void main_directions(const std::vector<double>& covariance, size_t d, std::span<double> variance,
                     std::span<double> rows) {
  const auto size = static_cast<Eigen::Index>(d);
  const Eigen::Map<const Eigen::MatrixXd> matrix(covariance.data(), size, size);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> found(matrix);
  if (found.info() != Eigen::Success)
    throw sdk::NumericError("the eigenvectors of the covariance were not found");
  for (size_t k = 0; k < variance.size(); ++k) {
    const Eigen::Index from = size - 1 - static_cast<Eigen::Index>(k);  // they rise
    variance[k] = std::max(0.0, found.eigenvalues()[from]);
    const auto vector = found.eigenvectors().col(from);
    Eigen::Index largest = 0;
    for (Eigen::Index i = 1; i < size; ++i)
      if (std::abs(vector[i]) > std::abs(vector[largest])) largest = i;
    const double sign = vector[largest] < 0 ? -1 : 1;
    for (Eigen::Index i = 0; i < size; ++i) rows[k * d + static_cast<size_t>(i)] = sign * vector[i];
  }
}

}  // namespace plait::pca
