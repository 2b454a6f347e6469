#include "pipeline/errors.h"

#include <algorithm>
#include <tuple>

#include "base/shown.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kLineWidth = 100;
constexpr size_t kMarkBytes = 512;                 // between two marks
constexpr size_t kMaxWord = 256, kMaxText = 4096;  // a path is shown whole, a megabyte of letters is not
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

// A line of a file, as wide as it was.
std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Unprintable bad = find_unprintable(text, Blanks::kNone);
    result += text.substr(0, bad ? bad.offset : text.size());
    if (bad) result += ' ';
    text.remove_prefix(bad ? bad.offset + bad.length : text.size());
  }
  return result;
}

// A message is one line, whoever wrote it.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\t', ' ');
  return shown(text);
}

size_t whole_characters(const std::string& text, size_t end) {
  while (end > 0 && end < text.size() && !begins_character(text[end])) --end;
  return end;
}

// Words that are endless lose their middle, the text its end.
std::string shortened(const std::string& text) {
  std::string result;
  for (size_t begin = 0; begin < text.size() && result.size() < kMaxText;) {
    const size_t end = std::min(text.find(' ', begin), text.size() - 1) + 1;
    if (end - begin > kMaxWord) {
      const size_t head = whole_characters(text, begin + kMaxWord / 2);
      const size_t tail = whole_characters(text, end - kMaxWord / 4);
      result += text.substr(begin, head - begin) + "..." + text.substr(tail, end - tail);
    } else {
      result += text.substr(begin, end - begin);
    }
    begin = end;
  }
  return result.size() > kMaxText ? result.substr(0, whole_characters(result, kMaxText)) + " ..." : result;
}

SourceText::Mark after(SourceText::Mark mark, const std::string& text, size_t offset) {
  for (; mark.offset < offset; ++mark.offset) {
    const char byte = text[mark.offset];
    if (byte == '\n')
      ++mark.line, mark.column = 1;
    else
      mark.column += begins_character(byte);
  }
  return mark;
}

SourceText::Mark mark_at(const SourceText& source, size_t offset) {
  if (source.marks.empty()) {
    source.marks.push_back({0, 1, 1});
    for (size_t at = kMarkBytes; at <= source.text.size(); at += kMarkBytes)
      source.marks.push_back(after(source.marks.back(), source.text, at));
  }
  return after(source.marks[offset / kMarkBytes], source.text, offset);
}

}  // namespace

Location location_of(const Place& place) {
  if (place.source == nullptr) return {};
  const std::string iteration = place.iteration ? place.iteration->text() : "";
  if (place.whole) return {place.source->name, 0, 0, iteration};
  const SourceText::Mark mark = mark_at(*place.source, std::min(place.offset, place.source->text.size()));
  return {place.source->name, mark.line, mark.column, iteration};
}

std::string Location::place_text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Location::text() const { return place_text() + (iteration.empty() ? "" : ", " + iteration); }

std::string Iteration::text() const {
  return (outer ? outer->text() + ", " : "") + (name.empty() ? "round " : name + " = ") +
         std::to_string(value);
}

Place place_at(const SourceText& source, int line, int column) {
  size_t begin = 0;
  for (int i = 1; i < line && begin < source.text.size(); ++i)
    begin = std::min(source.text.find('\n', begin), source.text.size() - 1) + 1;
  const size_t end = line_end(source.text, begin);
  size_t offset = begin;
  for (int passed = 1; offset < end; ++offset) {
    if (passed >= column && begins_character(source.text[offset])) break;
    passed += begins_character(source.text[offset]);
  }
  return {&source, offset, 1};
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
  const std::string said = one_line(shortened(message));
  const auto known = std::find_if(list_.begin(), list_.end(), [&](const Error& error) {
    return error.place.offset == place.offset && error.place.source == place.source && error.message == said;
  });
  const bool is_known = known != list_.end();
  if (is_known && known->last == place.iteration) return;
  ++count_;
  if (is_known) {
    ++known->iterations, known->last = place.iteration;
  } else if (list_.size() < kMaxKept) {
    list_.push_back({place, location_of(place), said, shown_message(shortened(hint)), 1, place.iteration});
  } else {
    ++hidden_;
  }
}

std::string Errors::Error::text() const {
  std::string text = location.place_text() + ": error: " + message;
  if (iterations > 1)
    text += " (" + location.iteration + " and " + std::to_string(iterations - 1) + " more)";
  else if (!location.iteration.empty())
    text += " (" + location.iteration + ")";
  const std::string line = source_line_with_caret(place);
  if (!line.empty()) text += "\n" + line;
  return hint.empty() ? text : text + "\n" + kIndent + hint;
}

bool Errors::any_between(const Place& begin, const Place& end) const {
  const auto found = left_out_.lower_bound({begin.source, begin.offset});
  if (found != left_out_.end() && *found <= std::pair(end.source, end.offset)) return true;
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
  const size_t shown = std::min(order.size(), kMaxShown);
  for (size_t i = 0; i < shown; ++i) text += (text.empty() ? "" : "\n") + order[i]->text();
  if (const size_t more = order.size() - shown + hidden_; more > 0)
    text += "\n... and " + std::to_string(more) + (more == 1 ? " more error" : " more errors") +
            (is_full() ? ", where reading stopped" : "");
  return {Code::kInvalid, text};
}

}  // namespace plait::inline pipeline
