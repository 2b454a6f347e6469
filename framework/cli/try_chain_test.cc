#include "cli/try_chain.h"

#include <doctest/doctest.h>

namespace plait {
namespace {

std::string error_of(const std::string& line) {
  const auto read = parse_chain(line);
  return read ? "" : read.status().message();
}

TEST_CASE("elements are cut at ! outside of brackets and quotes") {
  const auto read =
      parse_chain("data ! conv(filters=32, kernel=[3,3], name=\"a!b\") ! preprocess:norm(0.5) ! relu");
  REQUIRE(read);
  REQUIRE(read->size() == 4);
  CHECK((*read)[0].name == "data");
  CHECK((*read)[1].fields.size() == 3);
  CHECK((*read)[1].fields[1] == std::pair<std::string, std::string>("kernel", "[3,3]"));
  CHECK((*read)[1].fields[2].second == "\"a!b\"");
  CHECK((*read)[2].block == "preprocess");
  CHECK((*read)[2].fields[0] == std::pair<std::string, std::string>("", "0.5"));
  CHECK((*read)[3].fields.empty());
}

TEST_CASE("a line that cannot be read says where") {
  CHECK(error_of("a ! ! b") == "try: an element between two \"!\" is empty");
  CHECK(error_of("a ! b(1") == "try: \"b(1\": \")\" is missing at its end");
  CHECK(error_of("a b") == "try: \"a b\": elements are joined by \"!\"");
  CHECK(error_of("a(x=)") == "try: \"a(x=)\": a value is missing");
}

TEST_CASE("without plugins nothing but blocks and files can be named") {
  const auto registry = Registry::load({});
  REQUIRE(registry);
  const auto elements = parse_chain("nothing ! train(epochs=3)");
  REQUIRE(elements);
  const auto text = pipeline_of(*registry, *elements);
  REQUIRE(!text);
  CHECK(text.status().message().starts_with("try: \"nothing\" is neither a plugin nor a pipeline file"));
  const auto blocks = pipeline_of(*registry, {{"", "train", {{"epochs", "3"}, {"batch", "4"}}}});
  REQUIRE(blocks);
  CHECK(*blocks == "train { epochs: 3 batch: 4 }\n");
}

}  // namespace
}  // namespace plait
