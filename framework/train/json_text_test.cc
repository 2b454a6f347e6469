#include "base/json_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/shown.h"

namespace plait::inline train {
namespace {

TEST_CASE("JSON of any bytes is text that reads back") {
  const nlohmann::ordered_json object = {{"a", "\x1b[2J\xC2\x9B\xE2\x80\xAE"}, {"caf\xE9", 1}};
  const std::string text = json_text(object);
  CHECK_FALSE(find_unprintable(text, Blanks::kNone));
  const auto again = nlohmann::ordered_json::parse(text);
  CHECK(again["a"] == object["a"]);
  CHECK(again["caf\xEF\xBF\xBD"] == 1);
}

}  // namespace
}  // namespace plait::inline train
