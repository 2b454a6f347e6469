// JSON as it is written to files and terminals: whatever the texts in it hold, it comes out as UTF-8 without
// control characters (base/shown.h), and no exception comes of it.
#pragma once
#include <string>

#include "base/shown.h"

namespace plait::inline base {

// `Json` is one of nlohmann's types. `indent`: as its dump has it.
template <class Json>
std::string json_text(const Json& json, int indent = -1) {
  return shown_json(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

}  // namespace plait::inline base
