// JSON as it is written to files and terminals, and read from them. Whatever the texts in it hold, it is
// written as UTF-8 without control characters (base/shown.h), and no exception comes of it. `Json` is
// nlohmann::json or ordered_json: both are compiled once, in json_text.cc, since the library's reader and
// writer take a second and more in every file that calls them.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace plait::inline base {

// `indent`: as its dump has it.
template <class Json>
std::string json_text(const Json& json, int indent = -1);

// Discarded where `text` is not JSON. How deep and large it may be is looked at before: base/json_bounds.h.
template <class Json>
Json parse_json(std::string_view text);

}  // namespace plait::inline base
