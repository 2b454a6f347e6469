// How deep and how large a text of JSON may be, looked at before it is read: a parser takes fifty bytes of
// memory for a bracket.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace plait::inline base {

struct JsonBounds {
  uint64_t depth = 32;           // of arrays and objects
  uint64_t values = 10'000'000;  // of both, and what they hold
};

// Of files that Plait writes for people: summaries, recipes of sweeps, a line of a log.
constexpr JsonBounds kSmallJson{16, 20'000};

// Fails with: kCorrupt when `json` goes beyond the bounds, with byte, got and wanted. Whether it is JSON at
// all is for the parser to say. Linear in its length.
Status check_json_bounds(std::string_view json, const JsonBounds& bounds = {});

}  // namespace plait::inline base
