#include "base/json_bounds.h"

#include <doctest/doctest.h>

#include <string>

namespace plait::inline base {
namespace {

TEST_CASE("JSON within its bounds, whatever its strings hold") {
  CHECK(check_json_bounds("").is_ok());
  CHECK(check_json_bounds(R"({"a": [1, {"b": "]]]{{{,,,"}], "c": "\"[[["})", {3, 7}).is_ok());
  CHECK(check_json_bounds(std::string(40, ']') + "[]").is_ok());
  CHECK(check_json_bounds("\"\\").is_ok());
}

TEST_CASE("JSON that is too deep or too large says where") {
  CHECK(check_json_bounds("[[[1]]]", {2, 100}).message() == "JSON nests deeper than 2 levels at byte 2");
  CHECK(check_json_bounds("[1, 2, 3]", {2, 3}).message() == "JSON of more than 3 values, at byte 5");
  CHECK(check_json_bounds(std::string(1'000'000, '[')).code() == Code::kCorrupt);
  CHECK(check_json_bounds(std::string(1'000'000, ','), {32, 1000}).code() == Code::kCorrupt);
}

}  // namespace
}  // namespace plait::inline base
