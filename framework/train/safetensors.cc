#include "train/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/shown.h"
#include "registry/shape_text.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");
constexpr uint64_t kLargestHeader = 100'000'000;
constexpr size_t kMostTensors = 1'000'000, kMostExtents = 64, kMostLevels = 8;

// One tensor's entry in the header, as written.
struct Entry {
  StoredTensor tensor;
  std::vector<uint64_t> offsets;
  bool has_dtype = false, has_shape = false;
};

// Bytes of an element; 0: not known here.
uint64_t element_bytes(const std::string& dtype) {
  static const std::map<std::string, uint64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},   {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I16", 2},
      {"U16", 2},  {"F16", 2}, {"BF16", 2}, {"I32", 4},     {"U32", 4},     {"F32", 4},
      {"I64", 8},  {"U64", 8}, {"F64", 8},  {"C64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

// Takes the header as the parser goes through it: nothing is built of what is not needed.
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string error;

  bool key(string_t& name) override {
    if (levels_ == 1) return begin_entry(name);
    if (levels_ == 2) field_ = name;
    return true;
  }
  bool string(string_t& text) override {
    if (levels_ == 2 && in_metadata_) metadata[field_] = text;
    if (levels_ != 2 || in_metadata_ || field_ != "dtype") return value();
    if (std::exchange(entries.back().has_dtype, true)) return bad();
    entries.back().tensor.dtype = text;
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (!is_list()) return value();
    Entry& entry = entries.back();
    if (field_ == "data_offsets") return entry.offsets.push_back(number), entry.offsets.size() <= 2 || bad();
    if (number > INT64_MAX || entry.tensor.shape.size() == kMostExtents) return bad();
    entry.tensor.shape.push_back(static_cast<int64_t>(number));
    return true;
  }
  bool start_array(std::size_t) override {
    if (levels_ == 2 && !in_metadata_ && field_ == "shape" && std::exchange(entries.back().has_shape, true))
      return bad();
    return value() && open();
  }
  bool start_object(std::size_t) override { return (levels_ < 2 || value()) && open(); }
  bool end_object() override { return --levels_, true; }
  bool end_array() override { return --levels_, true; }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    if (error.empty()) error = "the header is no JSON object";
    return false;
  }

 private:
  bool begin_entry(const std::string& name) {
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) return true;
    if (entries.size() == kMostTensors) {
      error = "more than " + std::to_string(kMostTensors) + " tensors";
      return false;
    }
    entries.emplace_back().tensor.name = name;
    return true;
  }
  bool open() {
    if (++levels_ <= kMostLevels) return true;
    error = "the header is nested deeper than " + std::to_string(kMostLevels) + " levels";
    return false;
  }
  // Anything that nobody asks for may be in an entry, but not for one, and not in its lists.
  bool value() { return levels_ < 2 || is_list() ? bad() : true; }
  bool is_list() const {
    return levels_ == 3 && !in_metadata_ && (field_ == "shape" || field_ == "data_offsets");
  }
  bool bad() {
    error = in_metadata_ ? "__metadata__ is no object"
                         : "tensor \"" + short_name(entries.back().tensor.name) +
                               "\": wanted dtype, shape and data_offsets, as whole numbers from 0 on";
    return false;
  }

  size_t levels_ = 0;
  bool in_metadata_ = false;
  std::string field_;
};

class Layout {
 public:
  Layout(std::string_view data, const std::string& place) : data_(data), place_(place) {}

  Status run(std::vector<Entry>& entries) {
    PLAIT_TRY(check_names(entries));
    for (Entry& entry : entries) PLAIT_TRY(place(entry));
    return check_whole(entries);
  }
  Status corrupt(const std::string& text) const {
    return {Code::kCorrupt, place_ + ": not a good safetensors file: " + text};
  }

 private:
  Status corrupt(const Entry& entry, const std::string& text) const {
    return corrupt("tensor \"" + short_name(entry.tensor.name) + "\": " + text);
  }

  Status check_names(const std::vector<Entry>& entries) const {
    std::vector<const Entry*> sorted;
    for (const Entry& entry : entries) sorted.push_back(&entry);
    const auto name = [](const Entry* entry) -> const std::string& { return entry->tensor.name; };
    std::ranges::sort(sorted, {}, name);
    const auto twice = std::ranges::adjacent_find(sorted, {}, name);
    return twice == sorted.end() ? Status() : corrupt(**twice, "is there twice");
  }

  Status place(Entry& entry) const {
    StoredTensor& tensor = entry.tensor;
    if (!entry.has_dtype || !entry.has_shape || entry.offsets.size() != 2)
      return corrupt(entry, "wanted dtype, shape and data_offsets");
    const uint64_t begin = entry.offsets[0], end = entry.offsets[1];
    if (end > data_.size() || begin > end)
      return corrupt(entry, "bytes " + std::to_string(begin) + " to " + std::to_string(end) + " of " +
                                std::to_string(data_.size()));
    uint64_t bytes = element_bytes(tensor.dtype);
    bool fits = true;
    for (const int64_t extent : tensor.shape)
      fits = !__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes) && fits;
    if (element_bytes(tensor.dtype) != 0 && (!fits || bytes != end - begin))
      return corrupt(entry, std::to_string(end - begin) + " bytes of " + short_name(tensor.dtype) +
                                " for shape " + shape_text(tensor.shape));
    tensor.bytes = data_.substr(begin, end - begin);
    return {};
  }

  // The data are the tensors, one after the other: nothing overlaps, nothing is left over.
  // The entries get their order.
  Status check_whole(std::vector<Entry>& entries) const {
    std::ranges::stable_sort(entries, {},
                             [](const Entry& e) { return std::pair(e.offsets[0], e.offsets[1]); });
    uint64_t at = 0;
    for (const Entry& entry : entries) {
      if (entry.offsets[0] != at)
        return corrupt(
            entry, "begins at byte " + std::to_string(entry.offsets[0]) + ", wanted " + std::to_string(at));
      at = entry.offsets[1];
    }
    if (at == data_.size()) return {};
    return corrupt(std::to_string(data_.size() - at) + " bytes belong to no tensor");
  }

  std::string_view data_;
  const std::string& place_;
};

float f32_of_f16(uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  const float size = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                     : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (half & 0x8000) != 0 ? -size : size;
}

float f32_of_bf16(uint16_t upper) { return std::bit_cast<float>(static_cast<uint32_t>(upper) << 16); }

template <class Stored, class Convert>
std::vector<float> converted(std::string_view bytes, Convert convert) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    values[i] = convert(stored);
  }
  return values;
}

bool is_beyond_f32(double value) { return std::isfinite(value) && std::isinf(static_cast<float>(value)); }

}  // namespace

std::string short_name(const std::string& name) {
  constexpr size_t kMost = 120;
  if (name.size() <= kMost) return shown(name);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // no half a character
  return shown(name.substr(0, end)) + "...";
}

Result<StoredTensors> read_safetensors(std::string_view bytes, const std::string& place) {
  Layout layout({}, place);
  uint64_t size = 0;
  if (bytes.size() < sizeof size)
    return layout.corrupt(std::to_string(bytes.size()) + " bytes, wanted at least 8");
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size > kLargestHeader || size > bytes.size() - sizeof size)
    return layout.corrupt("a header of " + std::to_string(size) + " bytes in a file of " +
                          std::to_string(bytes.size()));
  HeaderReader header;
  const std::string_view text = bytes.substr(sizeof size, size);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos ||
      text[text.find_first_not_of(" \t\r\n")] != '{')
    return layout.corrupt("the header is no JSON object");
  if (!Json::sax_parse(text, &header))
    return layout.corrupt(header.error.empty() ? "the header is no JSON object" : header.error);
  PLAIT_TRY(Layout(bytes.substr(sizeof size + size), place).run(header.entries));
  StoredTensors stored;
  stored.metadata = std::move(header.metadata);
  for (Entry& entry : header.entries) stored.tensors.push_back(std::move(entry.tensor));
  return stored;
}

Result<std::vector<float>> f32_values(const StoredTensor& tensor) {
  if (tensor.dtype == "F32") return converted<float>(tensor.bytes, [](float value) { return value; });
  if (tensor.dtype == "F16") return converted<uint16_t>(tensor.bytes, f32_of_f16);
  if (tensor.dtype == "BF16") return converted<uint16_t>(tensor.bytes, f32_of_bf16);
  if (tensor.dtype != "F64")
    return Status(Code::kUnsupported, "type " + short_name(tensor.dtype) + ", wanted F32, F16, BF16 or F64");
  bool beyond = false;
  auto values = converted<double>(tensor.bytes, [&](double value) {
    beyond = beyond || is_beyond_f32(value);
    return static_cast<float>(value);
  });
  if (beyond) return Status(Code::kNumeric, "a number that is too large for f32");
  return values;
}

// As it goes: an object of JSON takes n^2 time for n names that keep their order.
std::string safetensors_head(const std::vector<TensorHead>& tensors) {
  std::string text = R"({"__metadata__":{"format":"plait"})";
  uint64_t at = 0;
  for (const TensorHead& tensor : tensors) {
    text += "," + json_text(nlohmann::json(tensor.name)) + R"(:{"dtype":")" + tensor.dtype + R"(","shape":)" +
            json_text(nlohmann::json(tensor.shape)) + R"(,"data_offsets":[)" + std::to_string(at) + "," +
            std::to_string(at + tensor.bytes) + "]}";
    at += tensor.bytes;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begin at a multiple of 8
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
}

}  // namespace plait::inline train
