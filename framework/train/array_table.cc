#include "train/array_table.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/one_nan.h"
#include "registry/shape_text.h"
#include "train/array_file.h"
#include "train/csv_file.h"
#include "train/safetensors.h"

namespace plait {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

bool is_table(const std::string& file) { return file.ends_with(".csv") || file.ends_with(".tsv"); }
bool is_half(uint32_t dtype) { return dtype == PLAIT_F16 || dtype == PLAIT_BF16; }

std::string names_of(const std::vector<PartSpec>& arrays) {
  std::string names;
  for (const PartSpec& array : arrays) names += (names.empty() ? "" : ", ") + part_text(array);
  return names;
}

Status not_fit(const std::string& file, const std::string& what, const std::vector<PartSpec>& arrays) {
  return {Code::kInvalid,
          fmt::format("{} cannot hold {} ({}); a .safetensors file can", file, what, names_of(arrays))};
}

const char* npy_type(uint32_t dtype) {
  switch (dtype) {
    case PLAIT_F32:
      return "<f4";
    case PLAIT_F64:
      return "<f8";
    case PLAIT_F16:
      return "<f2";
    case PLAIT_U8:
      return "|u1";
    case PLAIT_I32:
      return "<i4";
    case PLAIT_I64:
      return "<i8";
    default:
      return nullptr;
  }
}

const char* safetensors_type(uint32_t dtype) {
  switch (dtype) {
    case PLAIT_F32:
      return "F32";
    case PLAIT_F64:
      return "F64";
    case PLAIT_F16:
      return "F16";
    case PLAIT_BF16:
      return "BF16";
    case PLAIT_U8:
      return "U8";
    case PLAIT_I32:
      return "I32";
    default:
      return "I64";
  }
}

Status write_npy_file(const OutputArray& array, const Files::Writer& write) {
  PLAIT_TRY(write(npy_head(npy_type(array.spec.dtype), array.spec.shape)));
  return write(array.bytes);
}

Status write_safetensors_file(const std::vector<OutputArray>& arrays, const Files::Writer& write) {
  std::vector<TensorHead> heads;
  for (const OutputArray& array : arrays)
    heads.push_back(
        {array.spec.name, safetensors_type(array.spec.dtype), array.spec.shape, array.bytes.size()});
  PLAIT_TRY(write(safetensors_head(heads)));
  for (const OutputArray& array : arrays) PLAIT_TRY(write(array.bytes));
  return {};
}

// ---- .csv and .tsv

template <class Number>
void add_as(const char* at, std::string& to) {
  Number value;
  std::memcpy(&value, at, sizeof value);
  char digits[32];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, one_nan(value)).ptr);
}

void add_number(const OutputArray& array, uint64_t element, std::string& to) {
  const char* at = array.bytes.data() + element * dtype_bytes(array.spec.dtype);
  switch (array.spec.dtype) {
    case PLAIT_F32:
      return add_as<float>(at, to);
    case PLAIT_F64:
      return add_as<double>(at, to);
    case PLAIT_U8:
      return add_as<uint8_t>(at, to);
    case PLAIT_I32:
      return add_as<int32_t>(at, to);
    default:
      return add_as<int64_t>(at, to);
  }
}

int64_t columns_of(const PartSpec& spec) { return spec.shape.size() == 2 ? spec.shape[1] : 1; }

Status write_columns(const std::vector<OutputArray>& arrays, const std::string& file,
                     const Files::Writer& write) {
  const bool is_csv = file.ends_with(".csv");
  const char parting = is_csv ? ',' : '\t';
  std::string text;
  const auto part = [&] {
    if (!text.empty() && text.back() != '\n') text += parting;
  };
  for (const OutputArray& array : arrays) {
    for (int64_t column = 0; column < columns_of(array.spec); ++column) {
      part();
      const bool has_columns = array.spec.shape.size() == 2;
      const std::string name = has_columns ? fmt::format("{}_{}", array.spec.name, column) : array.spec.name;
      text += is_csv ? csv_field(name) : name;
    }
  }
  text += '\n';
  const int64_t lines = arrays.front().spec.shape.empty() ? 1 : arrays.front().spec.shape.front();
  for (int64_t line = 0; line < lines; ++line) {
    for (const OutputArray& array : arrays) {
      const int64_t columns = columns_of(array.spec);
      for (int64_t column = 0; column < columns; ++column) {
        part();
        add_number(array, static_cast<uint64_t>(line * columns + column), text);
      }
    }
    text += '\n';
    if (text.size() < kPiece) continue;
    PLAIT_TRY(write(text));
    text.clear();
  }
  return write(text);
}

Status check_columns(const std::string& file, const std::vector<PartSpec>& arrays) {
  for (const PartSpec& array : arrays) {
    if (array.shape.size() > 2) return not_fit(file, "an array of more than two axes", arrays);
    if (is_half(array.dtype)) return not_fit(file, "numbers of 16 bits", arrays);
    const auto lines = [](const PartSpec& spec) { return spec.shape.empty() ? 1 : spec.shape.front(); };
    if (lines(array) != lines(arrays.front())) return not_fit(file, "arrays of different lengths", arrays);
  }
  return {};
}

}  // namespace

Status check_arrays_fit(const std::string& file, const std::vector<PartSpec>& arrays) {
  if (is_table(file)) return check_columns(file, arrays);
  if (!file.ends_with(".npy")) return {};
  if (arrays.size() != 1) return not_fit(file, fmt::format("{} arrays", arrays.size()), arrays);
  if (npy_type(arrays.front().dtype) == nullptr) return not_fit(file, "bf16", arrays);
  return {};
}

Status write_arrays(const std::vector<OutputArray>& arrays, const std::string& file,
                    const Files::Writer& write) {
  std::vector<PartSpec> specs;
  for (const OutputArray& array : arrays) specs.push_back(array.spec);
  PLAIT_TRY(check_arrays_fit(file, specs));
  if (is_table(file)) return write_columns(arrays, file, write);
  if (file.ends_with(".npy")) return write_npy_file(arrays.front(), write);
  return write_safetensors_file(arrays, write);
}

}  // namespace plait
