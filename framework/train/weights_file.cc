#include "train/weights_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "plan/shape_text.h"

namespace plait {
namespace {

using Json = nlohmann::ordered_json;
using Header = nlohmann::json;  // finds among many names at once, where the other goes through all

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");
constexpr uint64_t kLargestHeader = 100'000'000, kMostHeaderValues = 20'000'000;

std::string u64_bytes(uint64_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string list_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// One tensor's entry in the header.
struct Entry {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& place) : bytes_(bytes), place_(place) {}

  Result<NamedTensors> read() {
    PLAIT_TRY(split());
    for (const auto& [name, value] : header_.items()) {
      if (name == "__metadata__") continue;
      PLAIT_TRY(add(name, value));
    }
    PLAIT_TRY(check_layout());
    NamedTensors tensors;
    for (const Entry& entry : entries_) {
      NamedTensor tensor{entry.name, entry.shape,
                         std::vector<float>((entry.end - entry.begin) / sizeof(float))};
      std::memcpy(tensor.values.data(), data_.data() + entry.begin, entry.end - entry.begin);
      tensors.push_back(std::move(tensor));
    }
    return tensors;
  }

 private:
  Status corrupt(const std::string& text) const {
    return {Code::kCorrupt, place_ + ": not a good safetensors file: " + text};
  }
  Status corrupt(const std::string& name, const std::string& text) const {
    return corrupt("tensor \"" + name + "\": " + text);
  }

  Status split() {
    uint64_t size = 0;
    if (bytes_.size() < sizeof size)
      return corrupt(std::to_string(bytes_.size()) + " bytes, wanted at least 8");
    std::memcpy(&size, bytes_.data(), sizeof size);
    if (size > kLargestHeader || size > bytes_.size() - sizeof size) {
      return corrupt("a header of " + std::to_string(size) + " bytes in a file of " +
                     std::to_string(bytes_.size()));
    }
    const std::string_view header = bytes_.substr(sizeof size, size);
    if (const Status good = check_json_bounds(header, {8, kMostHeaderValues}); !good)
      return corrupt(good.message());
    header_ = Header::parse(header, nullptr, false);
    if (!header_.is_object()) return corrupt("the header is no JSON object");
    data_ = bytes_.substr(sizeof size + size);
    return {};
  }

  Status add(const std::string& name, const Header& value) {
    if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
        !value.contains("shape") || !value["shape"].is_array() || !value.contains("data_offsets") ||
        !value["data_offsets"].is_array() || value["data_offsets"].size() != 2) {
      return corrupt(name, "wanted dtype, shape and data_offsets");
    }
    const std::string dtype = value["dtype"].get<std::string>();
    if (dtype != "F32") {
      return {Code::kUnsupported, place_ + ": tensor \"" + name + "\" is of dtype " + dtype + ", wanted F32"};
    }
    Entry entry{name, {}, 0, 0};
    uint64_t bytes = sizeof(float);
    for (const Header& extent : value["shape"]) {
      if (!extent.is_number_unsigned() || extent.get<uint64_t>() > data_.size())
        return corrupt(name, "extent " + extent.dump());
      entry.shape.push_back(extent.get<int64_t>());
      bytes *= extent.get<uint64_t>();
      if (bytes > data_.size())
        return corrupt(name, "shape " + list_text(entry.shape) + " is larger than the file");
    }
    for (const Header& offset : value["data_offsets"]) {
      if (!offset.is_number_unsigned()) return corrupt(name, "offset " + offset.dump());
    }
    entry.begin = value["data_offsets"][0].get<uint64_t>();
    entry.end = value["data_offsets"][1].get<uint64_t>();
    if (entry.end > data_.size() || entry.begin > entry.end || entry.end - entry.begin != bytes) {
      return corrupt(name, "bytes " + std::to_string(entry.begin) + " to " + std::to_string(entry.end) +
                               " of " + std::to_string(data_.size()) + " for shape " +
                               list_text(entry.shape));
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  // The data are the tensors, one after the other: nothing overlaps, nothing is left over.
  // The entries get their order.
  Status check_layout() {
    std::ranges::stable_sort(entries_, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    uint64_t at = 0;
    for (const Entry& entry : entries_) {
      if (entry.begin != at) {
        return corrupt(entry.name,
                       "begins at byte " + std::to_string(entry.begin) + ", wanted " + std::to_string(at));
      }
      at = entry.end;
    }
    if (at == data_.size()) return {};
    return corrupt(std::to_string(data_.size() - at) + " bytes belong to no tensor");
  }

  std::string_view bytes_;
  const std::string& place_;
  Header header_;
  std::string_view data_;
  std::vector<Entry> entries_;
};

}  // namespace

Status write_safetensors(const TensorSources& tensors, const Files::Writer& write) {
  Json header = Json::object();
  header["__metadata__"] = {{"format", "plait"}};
  uint64_t at = 0;
  for (const TensorSource& tensor : tensors) {
    const uint64_t bytes = tensor.elements * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string text = json_text(header);
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begin at a multiple of 8
  PLAIT_TRY(write(u64_bytes(text.size()) + text));
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
  return Reader(bytes, place).read();
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
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& parameter : network.parameters) {
    const auto found = std::ranges::find(tensors, parameter.name, &NamedTensor::name);
    if (found == tensors.end())
      return Status(Code::kInvalid, place + ": no tensor \"" + parameter.name + "\"");
    if (found->shape != parameter.shape) {
      return Status(Code::kInvalid, place + ": tensor \"" + parameter.name + "\" is " +
                                        list_text(found->shape) + ", wanted " + list_text(parameter.shape));
    }
    plain.push_back(found->values);
  }
  return plain;
}

}  // namespace plait
