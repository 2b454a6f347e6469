#include "base/json_text.h"

#include <nlohmann/json.hpp>

#include "base/shown.h"

namespace plait::inline base {

template <class Json>
std::string json_text(const Json& json, int indent) {
  return shown_json(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}
template <class Json>
Json parse_json(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

template std::string json_text(const nlohmann::json&, int);
template std::string json_text(const nlohmann::ordered_json&, int);
template nlohmann::json parse_json(std::string_view);
template nlohmann::ordered_json parse_json(std::string_view);

}  // namespace plait::inline base
