#include "cli/diff_figures.h"

#include <doctest/doctest.h>

namespace plait::inline cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const char* a, const char* b) { return figures_text(Json::parse(a), Json::parse(b)); }

TEST_CASE("equal figures have no mark") {
  CHECK(text_of(R"({"loss": 0.5, "test": {"accuracy": 1}})", R"({"loss": 0.5, "test": {"accuracy": 1}})") ==
        "\nFigures:\n  loss           0.5  0.5\n  test accuracy  1    1\n");
  CHECK(text_of(R"({"loss": 0.5})", R"({})") == "\nFigures:\n  loss  0.5  -  *\n");
  CHECK(text_of(R"({"loss": "-"})", R"({})") == "\nFigures:\n  loss  -  -  *\n");
}

TEST_CASE("figures are compared whole, though they are shown short") {
  CHECK(text_of(R"({"loss": 0.12345678})", R"({"loss": 0.12345679})") ==
        "\nFigures:\n  loss  0.12345678  0.12345679  *\n");
  const std::string same(30, 'a');
  const std::string a = R"({"weights_sha256": ")" + same + R"(bb"})";
  const std::string b = R"({"weights_sha256": ")" + same + R"(cc"})";
  CHECK(text_of(a.c_str(), b.c_str()) == "\nFigures:\n  weights_sha256  ...aaaabb  ...aaaacc  *\n");
  CHECK(text_of(a.c_str(), a.c_str()) ==
        "\nFigures:\n  weights_sha256  aaaaaaaaaaaaaaaa...  aaaaaaaaaaaaaaaa...\n");
  CHECK(text_of("{\"n\": [1,1,1,1,1,1,1,1,1,1,1,1,1]}", "{\"n\": [1,1,1,1,1,1,1,1,1,1,1,1,2]}") ==
        "\nFigures:\n  n  ...1,1,1]  ...1,1,2]  *\n");
}

TEST_CASE("of stages the digests of outputs, and what else differs") {
  const char* a = R"({"stages": [{"name": "m", "output": "m.tsv", "sha256": "aa", "seconds": 1.5}]})";
  const char* b = R"({"stages": [{"name": "m", "output": "m.tsv", "sha256": "bb", "seconds": 1.5}]})";
  CHECK(text_of(a, a) == "\nFigures:\n  stage m: sha256  aa  aa\n");
  CHECK(text_of(a, b) == "\nFigures:\n  stage m: sha256  aa  bb  *\n");
  const char* other = R"({"stages": [{"name": "n", "sha256": "aa", "records": 3}]})";
  const std::string text = text_of(a, other);
  CHECK(text.find("stage n: records  -") != std::string::npos);
  CHECK(text.find("stage m: sha256   aa     -  *") != std::string::npos);
}

}  // namespace
}  // namespace plait::inline cli
