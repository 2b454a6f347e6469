#include "base/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace plait::inline base {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool is_utf8 = true;
};

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Source: RFC 3629, UTF-8: shortest form alone, no surrogates, at most U+10FFFF.
Character character_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  const Character bad{first, 1, false};
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return bad;
  uint32_t code = first & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if (!continues(text[i])) return bad;
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return bad;
  return {code, bytes, true};
}

struct Range {
  uint32_t first, last;
};

// Source: Unicode, DerivedCoreProperties.txt, Default_Ignorable_Code_Point.
constexpr Range kControls[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},
    {0x180E, 0x180E}, {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

bool is_control(uint32_t code) {
  return std::ranges::any_of(
      kControls, [code](const Range& range) { return range.first <= code && code <= range.last; });
}

bool is_good(const Character& character, Blanks allowed) {
  if (!character.is_utf8) return false;
  if (character.code == '\n') return allowed != Blanks::kNone;
  if (character.code == '\t') return allowed == Blanks::kText;
  return !is_control(character.code);
}

// Calls `good(piece)` for printable stretches and `bad(character)` for what is between them.
template <class Good, class Bad>
void split(std::string_view text, Blanks allowed, const Good& good, const Bad& bad) {
  size_t begin = 0, at = 0;
  while (at < text.size()) {
    const Character character = character_at(text.substr(at));
    if (!is_good(character, allowed)) {
      good(text.substr(begin, at - begin));
      bad(character);
      begin = at + character.bytes;
    }
    at += character.bytes;
  }
  good(text.substr(begin));
}

}  // namespace

Unprintable find_unprintable(std::string_view text, Blanks allowed) {
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text.substr(at));
    if (!character.is_utf8) return {at, 1, fmt::format("byte 0x{:02x} (not UTF-8)", character.code)};
    if (!is_good(character, allowed))
      return {at, character.bytes, fmt::format("control character U+{:04X}", character.code)};
    at += character.bytes;
  }
  return {};
}

std::string shown(std::string_view text, Blanks allowed) {
  std::string result;
  split(
      text, allowed, [&](std::string_view piece) { result += piece; },
      [&](const Character& character) {
        result += character.code < 0x80 || !character.is_utf8 ? fmt::format("\\x{:02x}", character.code)
                                                              : fmt::format("\\u{{{:04x}}}", character.code);
      });
  return result;
}

Status check_name(std::string_view name, std::string_view what) {
  const Unprintable bad = find_unprintable(name, Blanks::kNone);
  if (!bad) return {};
  return {Code::kInvalid, fmt::format("{} \"{}\": a name is printable text in UTF-8, of one line; got a {}",
                                      what, shown(name), bad.what)};
}

namespace {

// Source: RFC 8259, 7: two halves for what is above U+FFFF.
std::string json_escape(uint32_t code) {
  if (code <= 0xFFFF) return fmt::format("\\u{:04x}", code);
  const uint32_t above = code - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF));
}

}  // namespace

std::string shown_json(std::string_view json) {
  std::string result;
  split(
      json, Blanks::kText, [&](std::string_view piece) { result += piece; },
      [&](const Character& character) {
        result += character.is_utf8 ? json_escape(character.code) : "\xEF\xBF\xBD";
      });
  return result;
}

}  // namespace plait::inline base
