#include "train/array_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace plait::inline train {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr int64_t kMostElements = int64_t{1} << 40;
constexpr size_t kMostExtents = 64;

// What comes after 'key': in a header, which is the text of a Python dictionary.
std::string_view value_of(std::string_view header, std::string_view key) {
  const size_t at = header.find("'" + std::string(key) + "':");
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

// "(3, 28, 28)", "(3,)", "()".
bool parse_shape(std::string_view text, std::vector<int64_t>& shape) {
  const size_t end = text.find(')');
  if (!text.starts_with("(") || end == std::string_view::npos) return false;
  text = text.substr(1, end - 1);
  int64_t total = 1;
  while (!text.empty()) {
    const size_t skip = text.find_first_not_of(", ");
    if (skip == std::string_view::npos) break;
    text.remove_prefix(skip);
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc() || extent < 0 || shape.size() == kMostExtents) return false;
    if (extent > 0 && total > kMostElements / extent) return false;
    total *= extent;
    shape.push_back(extent);
    text.remove_prefix(static_cast<size_t>(next - text.data()));
  }
  return true;
}

size_t elements_of(const std::vector<int64_t>& shape) {
  size_t elements = 1;
  for (int64_t extent : shape) elements *= static_cast<size_t>(extent);
  return elements;
}

// Bytes of a file are at any address.
float f64_at(std::string_view data, size_t i) {
  double value = 0;
  std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
  return static_cast<float>(value);
}

}  // namespace

std::string shape_words(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

bool is_npy(std::string_view bytes) { return bytes.starts_with(kMagic); }

Result<Array> read_npy(std::string_view bytes, const std::string& place) {
  const auto corrupt = [&](const std::string& what) {
    return Status(Code::kCorrupt, place + ": not a good .npy file: " + what);
  };
  if (bytes.size() < 12 || !is_npy(bytes)) return corrupt("it does not begin with \\x93NUMPY");
  if (bytes[6] < 1 || bytes[6] > 3)
    return corrupt("its format is of version " + std::to_string(bytes[6]) + ", wanted 1, 2 or 3");
  const bool short_length = bytes[6] == 1;
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 8, short_length ? 2 : 4);
  const size_t start = short_length ? 10 : 12;
  if (header_bytes > bytes.size() - start) return corrupt("its header is longer than the file");
  const std::string_view header = bytes.substr(start, header_bytes);
  const std::string_view data = bytes.substr(start + header_bytes);
  const std::string_view type = value_of(header, "descr");
  const bool f32 = type.starts_with("'<f4'"), f64 = type.starts_with("'<f8'");
  if (!f32 && !f64 && !type.starts_with("'|u1'")) {
    return Status(Code::kUnsupported, place + ": elements of type " +
                                          std::string(type.substr(0, std::min<size_t>(type.find(','), 40))) +
                                          ", wanted '<f4', '<f8' or '|u1'");
  }
  if (!value_of(header, "fortran_order").starts_with("False")) {
    return Status(Code::kUnsupported, place + ": Fortran order, wanted C order");
  }
  Array array;
  if (!parse_shape(value_of(header, "shape"), array.shape)) return corrupt("its shape cannot be read");
  const size_t elements = elements_of(array.shape);
  if (data.size() != elements * (f64 ? sizeof(double) : f32 ? sizeof(float) : 1)) {
    return corrupt(std::to_string(data.size()) + " bytes of data for shape " + shape_words(array.shape));
  }
  array.values.resize(elements);
  if (f32) {
    std::memcpy(array.values.data(), data.data(), data.size());
  } else if (f64) {
    for (size_t i = 0; i < elements; ++i) array.values[i] = f64_at(data, i);
  } else {
    for (size_t i = 0; i < elements; ++i) array.values[i] = static_cast<uint8_t>(data[i]);
  }
  return array;
}

}  // namespace plait::inline train
