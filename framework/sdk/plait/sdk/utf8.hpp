// Text: whether bytes are UTF-8, and how bytes that anybody may have written are shown in a message. Not part
// of <plait/sdk.hpp>: #include <plait/sdk/utf8.hpp> where it is used.
//
//   if (valid_utf8(line) < line.size()) throw BadRecord("byte ", valid_utf8(line) + 1, " is not UTF-8");
//   throw Error("key ", excerpt(key), " has no value");   // key "caf\xc3" has no value
//
// Threads: [any]
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace plait::sdk {

namespace detail {

// Bytes of the code point that `text` begins with; 0 where it begins with none.
// Source: The Unicode Standard 15, table 3-7: no longer form than needed, no surrogate, none above U+10FFFF.
inline size_t code_point_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  return size;
}

}  // namespace detail

// How many bytes from the beginning on are UTF-8: text.size() when all are, else the place of the first byte
// of what is no code point.
inline size_t valid_utf8(std::string_view text) {
  constexpr size_t kStep = sizeof(uint64_t);
  const auto is_ascii = [&](size_t at) {  // kStep bytes
    uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, kStep);
    return (bytes & 0x8080808080808080) == 0;
  };
  size_t at = 0;
  while (at < text.size()) {
    while (text.size() - at >= kStep && is_ascii(at)) at += kStep;  // most text is mostly ASCII
    // The last bytes, fewer than a step, are looked at with some before them.
    if (text.size() - at < kStep && text.size() >= kStep && is_ascii(text.size() - kStep)) return text.size();
    if (at == text.size()) break;
    const size_t size = detail::code_point_bytes(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

// The bytes in quotes, for a message: on one line, at most `most` of them, what is no printable UTF-8 as
// \xNN.
inline std::string excerpt(std::string_view bytes, size_t most = 40) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string shown = "\"";
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t size = detail::code_point_bytes(bytes.substr(at));
    if (at + std::max<size_t>(size, 1) > most) break;
    const auto byte = static_cast<uint8_t>(bytes[at]);
    if (size == 0 || byte < 0x20 || byte == 0x7F) {
      shown.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
      ++at;
      continue;
    }
    if (byte == '"' || byte == '\\') shown += '\\';
    shown.append(bytes.substr(at, size));
    at += size;
  }
  return shown + (at < bytes.size() ? "...\"" : "\"");
}

}  // namespace plait::sdk
