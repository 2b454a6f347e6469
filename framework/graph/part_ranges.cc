#include "graph/part_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "graph/padding.h"
#include "plan/layer_order.h"

namespace plait::inline graph {
namespace {

double number_at(const plait_tensor& tensor, uint64_t place) {
  if (tensor.dtype == PLAIT_I32) return static_cast<const int32_t*>(tensor.data)[place];
  if (tensor.dtype == PLAIT_I64) return static_cast<double>(static_cast<const int64_t*>(tensor.data)[place]);
  return static_cast<const float*>(tensor.data)[place];
}

bool is_within(const PartRange& range, double number) {
  if (range.is_weight) return std::isfinite(number) && number >= 0;
  return number >= static_cast<double>(range.low) && number < static_cast<double>(range.high) &&
         number == std::floor(number);
}

// The first place within sample `n` that is out of range, or -1.
int64_t bad_place(const PartRange& range, const plait_tensor& tensor, size_t n) {
  const SampleGrid grid = SampleGrid::of(tensor, n);
  const uint64_t begin = n * grid.elements();
  int64_t found = -1;
  grid.each_valid([&](uint64_t at, uint64_t count) {
    for (uint64_t place = at; found < 0 && place < at + count; ++place)
      if (!is_within(range, number_at(tensor, begin + place))) found = static_cast<int64_t>(place);
  });
  return found;
}

// How far a sample that reaches `extent` along axis `k` of a part reaches along the axes of a tensor; -1:
// that has another source.
using Reach = std::array<int32_t, 2>;

// The first tensor of which nothing is left of such a sample by its layer's rule, or -1.
int first_empty(const Network& network, int part, int k, int32_t extent) {
  std::vector<Reach> reach(network.tensors.size(), Reach{-1, -1});
  for (size_t i = 0; i < network.tensors.size(); ++i) {
    const TensorInfo& tensor = network.tensors[i];
    if (tensor.part == part) reach[i][static_cast<size_t>(k)] = extent;
    for (size_t axis = 0; axis < 2; ++axis) {
      const ExtentSource& source = tensor.extents[axis];
      if (source.tensor < 0) continue;
      const int32_t from = reach[static_cast<size_t>(source.tensor)][static_cast<size_t>(source.axis)];
      if (from < 0) continue;
      reach[i][axis] = source(from);
      if (reach[i][axis] == 0 && !source.is_same()) return static_cast<int>(i);
    }
  }
  return -1;
}

// Also of a tensor that is no more, since what reads it was absorbed.
const NodeInfo& writer_of(const Network& network, int tensor) {
  int node = network.tensors[static_cast<size_t>(tensor)].node;
  for (const NodeInfo& reader : network.nodes)
    if (node < 0 && reader.absorbed_by >= 0 && std::ranges::count(reader.inputs, tensor) > 0)
      node = reader.absorbed_by;
  return network.nodes[static_cast<size_t>(node)];
}

// Rules grow with the extent.
void add_extent_range(const Network& network, const TensorInfo& tensor, int k,
                      std::vector<PartRange>& ranges) {
  const auto bound = static_cast<int32_t>(std::min<int64_t>(tensor.spec.bound(k), INT32_MAX));
  int32_t empty = -1, enough = bound;  // the least that is enough lies above `empty`
  while (enough - empty > 1) {
    const int32_t middle = empty + (enough - empty) / 2;
    (first_empty(network, tensor.part, k, middle) < 0 ? enough : empty) = middle;
  }
  if (enough == 0) return;
  const NodeInfo& node = writer_of(network, first_empty(network, tensor.part, k, empty));
  ranges.push_back({static_cast<size_t>(tensor.part), enough, bound, layer_place(*node.layer), false, k});
}

// ok, or the first sample that reaches less far than it must.
Status check_extents(const PartRange& range, const plait_tensor& tensor,
                     const std::function<std::string(size_t n)>& sample_name) {
  const int32_t* const extents = range.extent_of == 0 ? tensor.lengths : tensor.second_lengths;
  const int axis = range.extent_of == 0 ? tensor.variable_axis : tensor.second_axis;
  for (int64_t n = 0; extents != nullptr && n < tensor.shape[0]; ++n) {
    if (extents[n] >= range.low) continue;
    return {Code::kInvalid,
            fmt::format("{} (place {} of the batch): part \"{}\" has {} along axis {}; {} wants at least {}",
                        sample_name(static_cast<size_t>(n)), n, tensor.name != nullptr ? tensor.name : "",
                        extents[n], axis - 1, range.wanted_by, range.low)};
  }
  return {};
}

}  // namespace

std::vector<PartRange> part_ranges(const Network& network) {
  std::vector<PartRange> ranges;
  for (const NodeInfo& node : network.nodes) {
    for (const InputRange& range : node.input_ranges) {
      const int tensor = node.inputs[range.input];
      const int part = network.tensors[static_cast<size_t>(tensor)].part;
      if (part >= 0)
        ranges.push_back({static_cast<size_t>(part), range.low, range.high, layer_place(*node.layer)});
    }
  }
  for (const TensorInfo& tensor : network.tensors)
    for (int k = 0; k < 2; ++k)
      if (tensor.part >= 0 && tensor.spec.varying(k) >= 0) add_extent_range(network, tensor, k, ranges);
  for (const HeadInfo& loss : network.losses) {
    if (loss.weights < 0) continue;
    const int part = network.tensors[static_cast<size_t>(loss.weights)].part;
    const std::string place = fmt::format("loss \"{}\" ({})", loss.name, loss.plugin->where.text());
    ranges.push_back({static_cast<size_t>(part), 0, 0, place, true});
  }
  return ranges;
}

static std::string wanted_text(const PartRange& range) {
  if (range.is_weight) return "a weight, finite and not negative";
  return fmt::format("whole numbers {} .. {}", range.low, range.high - 1);
}

Status check_part_ranges(const std::vector<PartRange>& ranges, const plait_tensor* const* batch,
                         const std::function<std::string(size_t n)>& sample_name) {
  for (const PartRange& range : ranges) {
    const plait_tensor& tensor = *batch[range.part];
    const auto samples = static_cast<size_t>(tensor.shape[0]);
    if (range.extent_of >= 0) {
      PLAIT_TRY(check_extents(range, tensor, sample_name));
      continue;
    }
    for (size_t n = 0; n < samples; ++n) {
      const int64_t place = bad_place(range, tensor, n);
      if (place < 0) continue;
      const uint64_t each = SampleGrid::of(tensor, n).elements();
      return {Code::kInvalid,
              fmt::format("{} (place {} of the batch): part \"{}\", element {}, is {}; {} wants {}",
                          sample_name(n), n, tensor.name != nullptr ? tensor.name : "", place,
                          number_at(tensor, n * each + static_cast<uint64_t>(place)), range.wanted_by,
                          wanted_text(range))};
    }
  }
  return {};
}

}  // namespace plait::inline graph
