#include "base/json_bounds.h"

#include <fmt/format.h>

#include <algorithm>

namespace plait::inline base {
namespace {

// The place after the string that begins at `at`.
size_t after_string(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return std::min(at + 1, json.size());
}

}  // namespace

Status check_json_bounds(std::string_view json, const JsonBounds& bounds) {
  uint64_t depth = 0, values = 1;
  for (size_t at = 0; at < json.size();) {
    const char byte = json[at];
    if (byte == '"') {
      at = after_string(json, at);
      continue;
    }
    if (byte == '[' || byte == '{') ++depth, ++values;
    if ((byte == ']' || byte == '}') && depth > 0) --depth;
    values += byte == ',';
    if (depth > bounds.depth)
      return {Code::kCorrupt, fmt::format("JSON nests deeper than {} levels at byte {}", bounds.depth, at)};
    if (values > bounds.values)
      return {Code::kCorrupt, fmt::format("JSON of more than {} values, at byte {}", bounds.values, at)};
    ++at;
  }
  return {};
}

}  // namespace plait::inline base
