#include "cli/format_pipeline.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"

namespace plait::inline cli {
namespace {

std::string formatted(const std::string& text) {
  const auto result = format_pipeline({"test.txtpb", text});
  REQUIRE_MESSAGE(result, result.status().message());
  // The law of the printer: its own result stays as it is.
  const auto again = format_pipeline({"test.txtpb", *result});
  REQUIRE(again);
  CHECK(*again == *result);
  return *result;
}

TEST_CASE("one line stays one line, blanks and separators become uniform") {
  CHECK(formatted("layer{name:'c1',convolution:{filters:6;kernel:[5,5]}}") ==
        "layer { name: 'c1' convolution { filters: 6 kernel: [5, 5] } }\n");
  CHECK(formatted("a:-  1 b :x") == "a: -1\nb: x\n");
  CHECK(formatted("relu { }") == "relu {}\n");
  CHECK(formatted("[acme . swish]{ beta : ${ 2*width } }") == "[acme.swish] { beta: ${ 2*width } }\n");
}

TEST_CASE("a block over several lines has a field a line") {
  CHECK(formatted("train {\nshards: 4 batch: 8\n  epochs: 1 }") ==
        "train {\n  shards: 4\n  batch: 8\n  epochs: 1\n}\n");
  CHECK(formatted("stride: [1,\n2]") == "stride: [\n  1,\n  2\n]\n");
}

TEST_CASE("a line that is too long is broken from outside, and only as far as needed") {
  const std::string path(55, 'p');
  CHECK(formatted("source { idx { images: \"" + path + "\" labels: \"" + path.substr(0, 30) + "\" } }") ==
        "source {\n  idx { images: \"" + path + "\" labels: \"" + path.substr(0, 30) + "\" }\n}\n");
}

TEST_CASE("comments stay where they belong") {
  const std::string text =
      "# head\n"
      "#\n"
      "# second\n"
      "\n"
      "a: 1  # of a\n"
      "# of b\n"
      "b {  # opens\n"
      "  # inner\n"
      "  c: 2  # of c\n"
      "\n"
      "  # last of b\n"
      "}  # closes\n"
      "list: [\n"
      "  1,  # one\n"
      "  # before two\n"
      "  2\n"
      "  # end\n"
      "]\n"
      "# foot\n";
  CHECK(formatted(text) == text);
}

TEST_CASE("comments inside a field's words go before it") {
  CHECK(formatted("a # 1\n: # 2\n 3, # 4\n b: \"x\" # 5\n \"y\"") ==
        "# 1\n# 2\na: 3  # 4\n# 5\nb: \"x\" \"y\"\n");
  CHECK(formatted("[ # 1\n acme # 2\n .swish] {}") == "# 1\n# 2\n[acme.swish] {}\n");
}

TEST_CASE("at most one empty line is kept, none at the ends of a block") {
  CHECK(formatted("\n\na: 1\n\n\n\nb {\n\nc: 1\n\n}\n\n") == "a: 1\n\nb {\n  c: 1\n}\n");
}

TEST_CASE("ends of lines and a byte order mark do not matter") {
  CHECK(formatted("\xEF\xBB\xBF# x\r\na: 1\r\n") == "# x\na: 1\n");
  CHECK(formatted("") == "");
  CHECK(formatted("# only this") == "# only this\n");
}

TEST_CASE("a file that does not parse is refused with its place") {
  const auto result = format_pipeline({"test.txtpb", "a: 1\nb {\n"});
  REQUIRE(!result);
  CHECK(result.status().message().find("test.txtpb:2:3: error: this { is never closed") != std::string::npos);
}

TEST_CASE("what is said differently is seen") {
  const auto fields = [](const std::string& text) {
    static std::vector<SourceText> kept(16);
    static size_t next = 0;
    SourceText& source = kept.at(next++);
    source = {"t", text};
    Errors errors;
    return parse_fields(lex(source, errors), errors);
  };
  CHECK(same_fields(fields("a { b: 1 }"), fields("a: { b: 1, }")));
  CHECK(!same_fields(fields("a { b: 1 }"), fields("a { b: 2 }")));
  CHECK(!same_fields(fields("a: 1"), fields("a: [1]")));
  CHECK(!same_fields(fields("a: 1"), fields("a: 1 a: 1")));
}

// Files that parse, with blanks, ends of lines and comments thrown in between any two words.
class RandomFile {
 public:
  explicit RandomFile(uint64_t seed) : state_(seed * 2654435769u + 1) {}
  std::string run() {
    fields(0);
    return text_;
  }

 private:
  size_t draw(size_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % n;
  }
  void word(const std::string& text) {
    const char* const kGaps[] = {" ", " ", "\n", "  # c\n", "\n\n# d\n", "#\n\n\n"};
    text_ += text + kGaps[draw(std::size(kGaps))];
  }
  void fields(int depth) {
    for (size_t i = draw(4); i > 0; --i) {
      const char* const kNames[] = {"a", "layer", "$name"};
      draw(5) == 0 ? (word("["), word("acme"), word("."), word("x"), word("]")) : word(kNames[draw(3)]);
      if (draw(2) == 0 && depth < 4)
        message(depth);
      else
        word(":"), draw(3) == 0 ? list(depth) : scalar();
      if (draw(4) == 0) word(draw(2) == 0 ? "," : ";");
    }
  }
  void message(int depth) {
    if (draw(3) == 0) word(":");
    word("{"), fields(depth + 1), word("}");
  }
  void list(int depth) {
    word("[");
    for (size_t i = draw(4); i > 0; --i) {
      if (depth < 4 && draw(4) == 0)
        word("{"), fields(depth + 1), word("}");
      else
        scalar();
      if (i > 1 || draw(3) == 0) word(",");
    }
    word("]");
  }
  void scalar() {
    const char* const kValues[] = {"1", "2.5e-3", "word", "\"s # no comment\"", "'t'", "${1 + 2}", "$x"};
    if (draw(6) == 0)
      word("-"), word("3");
    else
      word(kValues[draw(std::size(kValues))]);
  }

  uint64_t state_;
  std::string text_;
};

// format_pipeline itself asserts that the fields are those of the source.
TEST_CASE("files of all forms keep their meaning and their comments, and the result stays as it is") {
  size_t formed = 0;
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    const std::string text = RandomFile(seed).run();
    const auto once = format_pipeline({"t", text});
    REQUIRE_MESSAGE(once, text);
    const auto twice = format_pipeline({"t", *once});
    REQUIRE(twice);
    REQUIRE_MESSAGE(*twice == *once, text);
    REQUIRE_MESSAGE(std::count(text.begin(), text.end(), '#') == std::count(once->begin(), once->end(), '#'),
                    text);
    formed += text.size() > 40;
  }
  CHECK(formed > 1000);
}

TEST_CASE("the pipelines that ship keep their meaning") {
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(PLAIT_TEST_SOURCE_DIR) + "/pipelines")) {
    if (entry.path().extension() != ".txtpb") continue;
    formatted(*SystemFiles().read(entry.path()));
    ++files;
  }
  CHECK(files > 0);
}

}  // namespace
}  // namespace plait::inline cli
