#include "pipeline/errors.h"

#include <algorithm>
#include <tuple>

namespace plait {
namespace {

constexpr size_t kLineWidth = 100;
constexpr const char* kIndent = "    ";

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

size_t characters(const std::string& text, size_t begin, size_t end) {
  return std::count_if(text.begin() + begin, text.begin() + end, begins_character);
}

size_t line_begin(const std::string& text, size_t offset) {
  return offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1 is 0
}

size_t line_end(const std::string& text, size_t offset) {
  return std::min(text.find('\n', offset), text.size());
}

std::string printable(std::string text) {
  for (char& byte : text)
    if (static_cast<unsigned char>(byte) < ' ' || byte == '\x7f') byte = ' ';
  return text;
}

}  // namespace

Location location_of(const Place& place) {
  if (place.source == nullptr) return {};
  if (place.whole) return {place.source->name, 0, 0};
  const std::string& text = place.source->text;
  const size_t offset = std::min(place.offset, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + offset, '\n');
  return {place.source->name, static_cast<int>(line),
          static_cast<int>(1 + characters(text, line_begin(text, offset), offset))};
}

std::string Location::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string source_line_with_caret(const Place& place) {
  if (place.source == nullptr || place.whole) return "";
  const std::string& text = place.source->text;
  const size_t offset = std::min(place.offset, text.size());
  size_t begin = line_begin(text, offset);
  size_t end = line_end(text, offset);
  if (offset - begin > kLineWidth) begin = offset - kLineWidth / 2;
  while (begin < offset && !begins_character(text[begin])) ++begin;
  end = std::min(end, begin + kLineWidth);
  const size_t marked_end = std::min(offset + std::max<size_t>(place.length, 1), std::max(end, offset));
  const size_t marked = std::max<size_t>(characters(text, offset, marked_end), 1);
  return kIndent + printable(text.substr(begin, end - begin)) + "\n" + kIndent +
         std::string(characters(text, begin, offset), ' ') + "^" + std::string(marked - 1, '~');
}

void Errors::add(const Place& place, const std::string& message, const std::string& hint) {
  const bool known = std::any_of(list_.begin(), list_.end(), [&](const Error& error) {
    return error.message == message && error.place.source == place.source &&
           error.place.offset == place.offset;
  });
  if (!known) list_.push_back({place, location_of(place), printable(message), hint});
}

bool Errors::any_between(const Place& begin, const Place& end) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Error& error) {
    const bool in_set = error.place.source != begin.source;  // an override: it may be about anything
    return in_set || (error.place.offset >= begin.offset && error.place.offset <= end.offset);
  });
}

Status Errors::status() const {
  if (list_.empty()) return Status::ok();
  std::vector<const Error*> order;
  for (const Error& error : list_) order.push_back(&error);
  std::stable_sort(order.begin(), order.end(), [](const Error* a, const Error* b) {
    return std::tie(a->location.file, a->location.line, a->location.column) <
           std::tie(b->location.file, b->location.line, b->location.column);
  });
  std::string text;
  for (size_t i = 0; i < std::min(order.size(), kMaxShown); ++i) {
    const Error& error = *order[i];
    const std::string line = source_line_with_caret(error.place);
    text += (text.empty() ? "" : "\n") + error.location.text() + ": error: " + error.message;
    if (!line.empty()) text += "\n" + line;
    if (!error.hint.empty()) text += std::string("\n") + kIndent + error.hint;
  }
  if (order.size() > kMaxShown)
    text += "\n... and " + std::to_string(order.size() - kMaxShown) + " more errors";
  return {Code::kInvalid, text};
}

}  // namespace plait
