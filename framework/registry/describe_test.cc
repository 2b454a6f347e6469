#include "registry/describe.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace plait;

namespace {

const Registry& plugins() {
  static const auto loaded = Registry::load({{}, {TEST_LIBRARIES "/good", TEST_LIBRARIES "/none"}});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  return *loaded;
}

}  // namespace

TEST_CASE("a type's text holds fields, types, defaults, ranges, units and docs, in columns") {
  const std::string text = describe_type(*plugins().find("schedule", "test.line"));
  const std::string fields = text.substr(text.find("  FIELD"));
  CHECK(fields ==
        "  FIELD          TYPE              DEFAULT     RANGE         UNIT    MEANING\n"
        "  slope          number            0.5         > 0 and <= 1  1/step  What a step adds. (a schedule "
        "may change it)\n"
        "  steps          list of integers  1, 2        >= 1                  A list.\n"
        "  mode           up | down         up                                The mode.\n"
        "  label          text              \"a, b\"                            The label.\n"
        "  must           path              (required)                        The must.\n"
        "  flag           true or false     true                              The flag.\n"
        "  inner          { ... }           \"\"                                The inner.\n"
        "  inner.amount   integer           0                                 The amount.\n"
        "  absent         { ... }           -                                 The absent.\n"
        "  absent.amount  integer           0                                 The amount.\n");
  CHECK(
      text.starts_with("test.line (schedule, test.line)\n  A straight line.\n\n  v = b + s t\n  t: step\n"));
  CHECK(text.find("  devices  host\n") != std::string::npos);
  CHECK(text.find("test.line 1.2.3, MIT") != std::string::npos);
}

TEST_CASE("the list goes by kind and ends with what did not load") {
  const std::string text = list_types(plugins());
  CHECK(text.find("schedule   test.line") < text.find("augmenter  test.box"));
  CHECK(text.find("Not loaded:\n  folder \"" TEST_LIBRARIES "/none\"") != std::string::npos);
  CHECK(list_types(*Registry::load({})) == "No plugins were found.\n");
}

TEST_CASE("JSON says the same") {
  const auto json = describe_json(*plugins().find("schedule", "test.line"));
  CHECK(json["id"] == "test.line");
  CHECK(json["kind"] == "schedule");
  CHECK(json["devices"] == std::vector<std::string>{"host"});
  CHECK(json["fields"].size() == 8);
  CHECK(json["fields"][0]["range"] == "> 0 and <= 1");
  CHECK(json["fields"][0]["runtime"] == true);
  CHECK(json["fields"][2]["values"] == std::vector<std::string>{"up", "down"});
  CHECK(json["fields"][6]["fields"][0]["name"] == "amount");
  CHECK(json["library"]["version"] == "1.2.3");
  CHECK(list_json(plugins())["types"].size() == plugins().types().size());
  REQUIRE(list_json(plugins())["failures"].size() == 1);
  CHECK(list_json(plugins())["failures"][0]["serves"].empty());
  const auto noted = Registry::load({{}, {TEST_LIBRARIES "/noted"}});
  REQUIRE(noted);
  CHECK(list_json(*noted)["failures"][1]["serves"][0] == "layer test.noted_layer");
}
