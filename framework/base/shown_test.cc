#include "base/shown.h"

#include <doctest/doctest.h>

namespace plait::inline base {
namespace {

TEST_CASE("printable text of any language is shown as it is") {
  for (const char* text :
       {"", "c1", "a b", "caf\xC3\xA9", "\xE5\xB1\x82", "\xF0\x9F\x90\x88", "\xEF\xBF\xBF"}) {
    CAPTURE(text);
    CHECK(shown(text) == text);
    CHECK_FALSE(find_unprintable(text, Blanks::kNone));
  }
}

TEST_CASE("control characters and marks of direction are written out") {
  CHECK(shown("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(shown("a\x7f\xC2\x9B") == "a\\x7f\\u{009b}");
  CHECK(shown("\xE2\x80\xAEgnp\xE2\x81\xA6") == "\\u{202e}gnp\\u{2066}");
  CHECK(shown("\xE2\x80\xA8") == "\\u{2028}");
  CHECK(shown("a\xE2\x80\x8B\xE2\x80\x8F\xE2\x81\xA0") == "a\\u{200b}\\u{200f}\\u{2060}");
  CHECK(shown("\xD8\x9C\xEF\xBB\xBF\xC2\xAD") == "\\u{061c}\\u{feff}\\u{00ad}");
  CHECK(shown("\xF3\xA0\x80\x80\xF3\xA0\x81\xBF") == "\\u{e0000}\\u{e007f}");
  CHECK(shown("\xE1\xA0\x8E\xE2\x81\xAF\xEF\xBF\xB9") == "\\u{180e}\\u{206f}\\u{fff9}");
  CHECK(shown(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(shown("a\nb\tc\rd") == "a\\x0ab\\x09c\\x0dd");
  CHECK(shown_lines("a\nb\tc\rd") == "a\nb\tc\\x0dd");
  CHECK(shown_message("a\nb\tc\rd\x1b") == "a\nb\\x09c\\x0dd\\x1b");
}

TEST_CASE("joiners of letters and selectors of variants are shown as they are") {
  for (const char* text : {"\xE2\x80\x8C", "\xE2\x80\x8D", "\xEF\xB8\x8F", "\xF3\xA0\x84\x80"}) {
    CAPTURE(text);
    CHECK(shown(text) == text);
  }
}

TEST_CASE("bytes that are no UTF-8 are written out: cut, too long, surrogates, too large") {
  CHECK(shown("caf\xE9") == "caf\\xe9");
  CHECK(shown("\xC3") == "\\xc3");
  CHECK(shown("\xC0\xAF") == "\\xc0\\xaf");
  CHECK(shown("\xE0\x80\x9B") == "\\xe0\\x80\\x9b");
  CHECK(shown("\xED\xA0\x80") == "\\xed\\xa0\\x80");
  CHECK(shown("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(shown("\xF8\xE5\xB1\x82") == "\\xf8\xE5\xB1\x82");
}

TEST_CASE("the first of them is found with its place") {
  const Unprintable latin = find_unprintable("caf\xE9 \x1b", Blanks::kNone);
  CHECK(latin.offset == 3);
  CHECK(latin.what == "byte 0xe9 (not UTF-8)");
  const Unprintable mark = find_unprintable("\xC3\xA9\xE2\x80\xAE", Blanks::kText);
  CHECK(mark.offset == 2);
  CHECK(mark.length == 3);
  CHECK(mark.what == "control character U+202E");
  CHECK(find_unprintable("a\nb", Blanks::kNone).offset == 1);
  CHECK_FALSE(find_unprintable("a\nb\t", Blanks::kText));
}

TEST_CASE("JSON keeps its meaning") {
  CHECK(shown_json("{\"a\": \"\x7f\xC2\x9B\xE2\x80\xAE\"}\n") == "{\"a\": \"\\u007f\\u009b\\u202e\"}\n");
  CHECK(shown_json("\"\xF3\xA0\x81\x81\"") == "\"\\udb40\\udc41\"");
  CHECK(shown_json("\"\xE9\"") == "\"\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace plait::inline base
