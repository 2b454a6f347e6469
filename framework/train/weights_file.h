// Weights in files: safetensors (safetensors.h), f32, plain order. A file of ours names parameters and
// buffers "layer.parameter".
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "plan/network.h"

namespace plait::inline train {

struct NamedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using NamedTensors = std::vector<NamedTensor>;

// A tensor whose values are fetched when they are needed; those of one may be gone when the next is fetched.
struct TensorSource {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t elements = 0;
  std::function<Result<std::span<const float>>()> values;
};
using TensorSources = std::vector<TensorSource>;

// Writes a file from its beginning to its end, a tensor at a time, in this order.
Status write_safetensors(const TensorSources& tensors, const Files::Writer& write);
// Of tensors that are held elsewhere.
TensorSources sources_of(const NamedTensors& tensors);

// The bytes of a file. Tensors keep their order.
std::string to_safetensors(const NamedTensors& tensors);

// All tensors of a file. Fails with: as read_safetensors and f32_values, which say what may be converted.
Result<NamedTensors> from_safetensors(std::string_view bytes, const std::string& place);

// SHA-256 over the tensors sorted by name, and of each: u64 length of the name, its bytes; u64 rank, its
// extents as u64; its values as f32. Numbers are little endian. Lower-case hexadecimal.
std::string weights_sha256(const NamedTensors& tensors);

// A network's parameters and buffers with their values, and values back into a network by name.
NamedTensors name_weights(const Network& network, std::vector<std::vector<float>> plain);
// Values for every parameter of `network`, in its order.
// Fails with: kInvalid naming the tensor that is missing or has another shape.
Result<std::vector<std::vector<float>>> plain_of(const NamedTensors& tensors, const Network& network,
                                                 const std::string& place);
// The same where only tensors of the same name and shape are taken; returns how many were.
int take_matching(const NamedTensors& tensors, const Network& network,
                  std::vector<std::vector<float>>& plain);

}  // namespace plait::inline train
