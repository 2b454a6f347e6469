#include <doctest/doctest.h>
#include <plait/sdk/utf8.hpp>

using namespace plait::sdk;

namespace {

// Table 3-7 of the standard, the slow way: decodes, then asks what the number may be.
bool is_code_point(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (size != bytes.size()) return false;
  uint32_t point = size == 1 ? lead : lead & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if (static_cast<uint8_t>(bytes[i]) >> 6 != 2) return false;
    point = point << 6 | (static_cast<uint8_t>(bytes[i]) & 0x3F);
  }
  constexpr uint32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
  return point >= kLowest[size] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

TEST_CASE("every sequence of two and three bytes, and the borders of four, as by decoding") {
  for (uint32_t number = 0; number < 1u << 24; ++number) {
    const char bytes[3] = {static_cast<char>(number >> 16), static_cast<char>(number >> 8),
                           static_cast<char>(number)};
    if (static_cast<uint8_t>(bytes[0]) < 0x80) continue;
    const std::string_view three(bytes, 3), two(bytes, 2);
    const bool good = is_code_point(three) || (is_code_point(two) && is_code_point(three.substr(2)));
    if ((valid_utf8(three) == 3) != good) FAIL("sequence " << number);
    if ((valid_utf8(two) == 2) != is_code_point(two)) FAIL("sequence " << number << ", two bytes of it");
  }
  for (uint32_t number = 0; number < 1u << 16; ++number) {
    const char bytes[4] = {static_cast<char>(number >> 8), static_cast<char>(number), '\x80', '\xBF'};
    if (static_cast<uint8_t>(bytes[0]) < 0xE0) continue;
    const std::string_view four(bytes, 4);
    if ((valid_utf8(four) == 4) != is_code_point(four)) FAIL("sequence of four " << number);
  }
}

TEST_CASE("the place of the first byte that is wrong, wherever it lies among eight") {
  for (size_t before = 0; before < 40; ++before) {
    CAPTURE(before);
    const std::string text(before, 'a');
    CHECK(valid_utf8(text) == before);
    CHECK(valid_utf8(text + "\xFF" + text) == before);
    CHECK(valid_utf8(text + "\xE2\x82\xAC" + text) == 2 * before + 3);
    CHECK(valid_utf8(text + "\xE2\x82") == before);  // ends within a code point
  }
}

TEST_CASE("an excerpt is one printable line, cut between code points") {
  CHECK(excerpt("") == "\"\"");
  CHECK(excerpt("caf\xC3\xA9") == "\"caf\xC3\xA9\"");
  CHECK(excerpt("caf\xC3") == "\"caf\\xc3\"");
  CHECK(excerpt(std::string_view("a\n\0\"\\", 5)) == "\"a\\x0a\\x00\\\"\\\\\"");
  CHECK(excerpt("abcdef", 4) == "\"abcd...\"");
  CHECK(excerpt("abc\xC3\xA9", 4) == "\"abc...\"");
  CHECK(excerpt(std::string(1 << 20, 'x')).size() == 45);
}

}  // namespace
