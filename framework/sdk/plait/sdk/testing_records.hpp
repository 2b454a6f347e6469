// Records of a task's test, as the host lays them out. See testing.hpp.
#pragma once
#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "testing_host.hpp"

namespace plait::sdk::testing {

// For each record its parts, in order, as bytes.
using RecordBytes = std::vector<std::vector<std::string>>;

namespace detail {

inline TestTensor batch(PartSpec spec, size_t part, const RecordBytes& records) {
  const size_t stride = spec.bytes();
  const size_t extent =
      spec.variable_axis < 0 ? 1 : static_cast<size_t>(spec.shape[static_cast<size_t>(spec.variable_axis)]);
  spec.shape.insert(spec.shape.begin(), static_cast<int64_t>(records.size()));
  if (spec.variable_axis >= 0) ++spec.variable_axis;
  TestTensor tensor(spec);
  for (size_t i = 0; i < records.size(); ++i) {
    const std::string& bytes = records[i].at(part);
    if (bytes.size() > stride) throw std::runtime_error("a part of a record is larger than its bound");
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(tensor.view().raw()) + i * stride);
    if (spec.variable_axis >= 0)
      tensor.lengths.push_back(static_cast<int32_t>(bytes.size() * extent / std::max<size_t>(stride, 1)));
  }
  return tensor;
}

}  // namespace detail

// The parts `specs` of these records, each [N, ...]. Of a part with a variable axis a record has as many
// bytes as there are; of another all.
inline std::deque<TestTensor> batches(const std::vector<PartSpec>& specs, const RecordBytes& records) {
  std::deque<TestTensor> tensors;
  for (size_t part = 0; part < specs.size(); ++part)
    tensors.push_back(detail::batch(specs[part], part, records));
  return tensors;
}

}  // namespace plait::sdk::testing
