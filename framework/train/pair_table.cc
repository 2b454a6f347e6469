#include "train/pair_table.h"

#include <charconv>
#include <cstring>

namespace plait::inline train {
namespace {

template <class Number>
void append_number(Number value, std::vector<std::byte>& to) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
}

// The whole of a text as a number.
template <class Number>
bool append_read(std::string_view text, std::vector<std::byte>& to) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  append_number(value, to);
  return error == std::errc() && end == text.data() + text.size();
}

// False: a backslash that no such table has.
bool append_unescaped(std::string_view text, std::vector<std::byte>& to) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\') {
      const size_t known =
          ++i < text.size() ? std::string_view("tnr\\").find(text[i]) : std::string_view::npos;
      if (known == std::string_view::npos) return false;
      c = "\t\n\r\\"[known];
    }
    to.push_back(static_cast<std::byte>(c));
  }
  return true;
}

// The arrays of a table, a line at a time.
class TableReader {
 public:
  explicit TableReader(uint32_t kind) : kind_(kind) {
    for (PartSpec& spec : table_arrays(kind)) arrays_.push_back({std::move(spec), {}});
  }

  bool add(std::string_view line) {
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return false;
    ++lines_;
    std::vector<std::byte>& keys = arrays_[0].bytes;
    if (!append_unescaped(line.substr(0, tab), keys)) return false;
    append_number(static_cast<int64_t>(keys.size()), arrays_[1].bytes);
    return add_value(line.substr(tab + 1));
  }

  std::vector<StageArrays::Array> take() {
    for (StageArrays::Array& array : arrays_)
      array.spec.shape = {array.spec.dtype == PLAIT_U8 ? static_cast<int64_t>(array.bytes.size()) : lines_};
    return std::move(arrays_);
  }

 private:
  bool add_value(std::string_view text) {
    std::vector<std::byte>& values = arrays_[2].bytes;
    if (kind_ == PLAIT_VALUE_I64) return append_read<int64_t>(text, values);
    if (kind_ != PLAIT_VALUE_BYTES) return append_read<double>(text, values);
    if (!append_unescaped(text, values)) return false;
    append_number(static_cast<int64_t>(values.size()), arrays_[3].bytes);
    return true;
  }

  const uint32_t kind_;
  int64_t lines_ = 0;
  std::vector<StageArrays::Array> arrays_;
};

}  // namespace

std::vector<PartSpec> table_arrays(uint32_t kind) {
  const uint32_t dtype = kind == PLAIT_VALUE_I64     ? PLAIT_I64
                         : kind == PLAIT_VALUE_BYTES ? PLAIT_U8
                                                     : PLAIT_F64;
  std::vector<PartSpec> arrays = {
      {"key", PLAIT_U8, {-1}}, {"key_end", PLAIT_I64, {-1}}, {"value", dtype, {-1}}};
  if (kind == PLAIT_VALUE_BYTES) arrays.push_back({"value_end", PLAIT_I64, {-1}});
  return arrays;
}

const char* table_value(uint32_t kind) {
  return kind == PLAIT_VALUE_I64 ? "i64" : kind == PLAIT_VALUE_BYTES ? "bytes" : "f64";
}
uint32_t value_kind_of(const std::string& name) {
  return name == "i64" ? PLAIT_VALUE_I64 : name == "bytes" ? PLAIT_VALUE_BYTES : PLAIT_VALUE_F64;
}

Result<std::vector<StageArrays::Array>> read_table(std::string_view text, uint32_t kind,
                                                   const std::string& place) {
  TableReader table(kind);
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos || !table.add(text.substr(0, end)))
      return Status(Code::kCorrupt, place + ":" + std::to_string(number) + ": no line of a table of pairs");
    text.remove_prefix(end + 1);
  }
  return table.take();
}

}  // namespace plait::inline train
