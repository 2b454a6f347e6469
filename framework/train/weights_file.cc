#include "train/weights_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "base/sha256.h"
#include "registry/shape_text.h"
#include "train/safetensors.h"

namespace plait::inline train {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

std::string u64_bytes(uint64_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

}  // namespace

Status write_safetensors(const TensorSources& tensors, const Files::Writer& write) {
  std::vector<TensorHead> heads;
  for (const TensorSource& tensor : tensors)
    heads.push_back({tensor.name, "F32", tensor.shape, tensor.elements * sizeof(float)});
  PLAIT_TRY(write(safetensors_head(heads)));
  for (const TensorSource& tensor : tensors) {
    PLAIT_ASSIGN(const std::span<const float> values, tensor.values());
    PLAIT_TRY(write({reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
  }
  return {};
}

TensorSources sources_of(const NamedTensors& tensors) {
  TensorSources sources;
  for (const NamedTensor& tensor : tensors) {
    const std::span<const float> values(tensor.values);
    sources.push_back({tensor.name, tensor.shape, values.size(),
                       [values]() -> Result<std::span<const float>> { return values; }});
  }
  return sources;
}

std::string to_safetensors(const NamedTensors& tensors) {
  std::string file;
  (void)write_safetensors(sources_of(tensors), [&](std::string_view piece) {
    file += piece;
    return Status();
  });
  return file;
}

Result<NamedTensors> from_safetensors(std::string_view bytes, const std::string& place) {
  PLAIT_ASSIGN(const StoredTensors stored, read_safetensors(bytes, place));
  NamedTensors tensors;
  for (const StoredTensor& tensor : stored.tensors) {
    auto values = f32_values(tensor);
    if (!values) return values.status().at(place + ": tensor \"" + short_name(tensor.name) + "\"");
    tensors.push_back({tensor.name, tensor.shape, std::move(*values)});
  }
  return tensors;
}

std::string weights_sha256(const NamedTensors& tensors) {
  std::vector<const NamedTensor*> sorted;
  for (const NamedTensor& tensor : tensors) sorted.push_back(&tensor);
  std::ranges::sort(sorted, {}, [](const NamedTensor* t) { return t->name; });
  Sha256 sha;
  for (const NamedTensor* tensor : sorted) {
    sha.update(u64_bytes(tensor->name.size()));
    sha.update(tensor->name);
    sha.update(u64_bytes(tensor->shape.size()));
    for (int64_t extent : tensor->shape) sha.update(u64_bytes(static_cast<uint64_t>(extent)));
    sha.update(tensor->values.data(), tensor->values.size() * sizeof(float));
  }
  return Sha256::hex_of(sha.digest());
}

NamedTensors name_weights(const Network& network, std::vector<std::vector<float>> plain) {
  NamedTensors tensors;
  for (size_t i = 0; i < network.parameters.size(); ++i) {
    tensors.push_back({network.parameters[i].name, network.parameters[i].shape, std::move(plain[i])});
  }
  return tensors;
}

int take_matching(const NamedTensors& tensors, const Network& network,
                  std::vector<std::vector<float>>& plain) {
  std::map<std::string, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : tensors) by_name[tensor.name] = &tensor;
  int taken = 0;
  for (size_t i = 0; i < network.parameters.size(); ++i) {
    const auto found = by_name.find(network.parameters[i].name);
    if (found == by_name.end() || found->second->shape != network.parameters[i].shape) continue;
    plain[i] = found->second->values;
    ++taken;
  }
  return taken;
}

Result<std::vector<std::vector<float>>> plain_of(const NamedTensors& tensors, const Network& network,
                                                 const std::string& place) {
  std::map<std::string, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : tensors) by_name[tensor.name] = &tensor;
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& parameter : network.parameters) {
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end())
      return Status(Code::kInvalid, place + ": no tensor \"" + parameter.name + "\"");
    if (found->second->shape != parameter.shape) {
      return Status(Code::kInvalid, place + ": tensor \"" + parameter.name + "\" is " +
                                        shape_text(found->second->shape) + ", wanted " +
                                        shape_text(parameter.shape));
    }
    plain.push_back(found->second->values);
  }
  return plain;
}

}  // namespace plait::inline train
