#include "cli/try_chain.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/files.h"

namespace plait::inline cli {
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
  CHECK(error_of("a ! ! b") ==
        "line:1:5: error: an element is missing\n    a ! ! b\n        ^\n"
        "    as in: fashion_mnist ! convolution(filters=32) ! relu ! dense(10)");
  CHECK(error_of("a ! b(1") == "line:1:6: error: this ( is never closed\n    a ! b(1\n         ^");
  CHECK(error_of("a(1){}") ==
        "line:1:5: error: \")\" ends an element\n    a(1){}\n        ^~\n    the next begins after a !");
  CHECK(error_of("a b").starts_with("line:1:2: error: elements are joined by \"!\""));
  CHECK(error_of("a ! b(x=)").starts_with("line:1:7: error: a value is missing"));
  CHECK(error_of("a ! b(x=1 y=2)").ends_with("fields are parted by commas"));
  CHECK(error_of("a ! seed=5").ends_with("a field of the job is changed by --set seed=5"));
  CHECK(error_of("").starts_with("line:1:1: error: an element is missing"));
  CHECK(error_of("a ! layer:").starts_with("line:1:11: error: the name of a plugin is missing"));
}

TEST_CASE("a type may be written in brackets, as in a file") {
  const auto read = parse_chain("data ! [acme.swish](beta=1.5) ! layer:[acme.x]");
  REQUIRE(read);
  CHECK((*read)[1].name == "acme.swish");
  CHECK((*read)[2].name == "acme.x");
  CHECK((*read)[2].block == "layer");
}

TEST_CASE("without plugins nothing but blocks and files can be named") {
  const auto registry = Registry::load({});
  REQUIRE(registry);
  const std::string line = "nothing ! train(epochs=3)";
  const auto elements = parse_chain(line);
  REQUIRE(elements);
  const auto text = pipeline_of(*registry, *elements, line);
  REQUIRE(!text);
  CHECK(
      text.status().message().starts_with("line:1:1: error: \"nothing\" is neither a plugin nor a pipeline "
                                          "file\n    nothing ! train(epochs=3)\n    ^~~~~~~"));
  const auto blocks = pipeline_of(*registry, {{"", "train", {{"epochs", "3"}, {"batch", "4"}}}}, "");
  REQUIRE(blocks);
  CHECK(*blocks == "train { epochs: 3 batch: 4 }\n");
}

TEST_CASE("a file gives all but its layers, those of repeats too") {
  const std::string path = (std::filesystem::temp_directory_path() / "plait_try_repeat.txtpb").string();
  REQUIRE(
      SystemFiles().write_atomically(path,
                                     "# of itself\nseed: 3\nrepeat { count: 2 as: \"i\" layer { relu {} } }\n"
                                     "repeat { count: 2 augment { flip {} } layer { relu {} } }\n"));
  const auto registry = Registry::load({});
  REQUIRE(registry);
  const auto text = pipeline_of(*registry, {{"", path, {}}, {"", "train", {{"epochs", "3"}}}}, "");
  REQUIRE(text);
  CHECK(*text == "seed: 3\nrepeat { count: 2 augment { flip {} } }\ntrain { epochs: 3 }\n");
  CHECK(SystemFiles().remove(path));
}

}  // namespace
}  // namespace plait::inline cli
