// Edits the text of one layer, `layer { name: "x" input: "y" dense { units: 3 } }`, as a pipeline file writes
// it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace plait::autoencoder {

// A string as a pipeline file writes it: quotes and backslashes escaped, a dollar sign doubled.
inline std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    if (letter == '$') result += '$';
    result += letter;
  }
  return result + '"';
}

// Place behind the string that begins at `begin`.
inline size_t behind_string(std::string_view text, size_t begin) {
  const char quote = text[begin];
  size_t i = begin + 1;
  while (i < text.size() && text[i] != quote) i += text[i] == '\\' ? 2 : 1;
  return i < text.size() ? i + 1 : text.size();
}

inline bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

// A field of the layer itself (not of the plugin in it): its name's first place and the place behind its
// value.
struct FieldPlace {
  size_t begin, end;
  bool found() const { return end > begin; }
};

// The first `name: value` directly inside the layer's braces.
inline FieldPlace find_field(std::string_view text, std::string_view name) {
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    const char letter = text[i];
    if (letter == '"' || letter == '\'') {
      i = behind_string(text, i);
      continue;
    }
    depth += (letter == '{') - (letter == '}');
    if (!is_letter(letter)) {
      ++i;
      continue;
    }
    const size_t begin = i;
    while (i < text.size() && is_letter(text[i])) ++i;
    if (depth != 1 || text.substr(begin, i - begin) != name) continue;
    size_t value = text.find_first_not_of(' ', i);
    if (value == std::string_view::npos || text[value] != ':') continue;
    value = text.find_first_not_of(' ', value + 1);
    if (value == std::string_view::npos) continue;
    const bool is_string = text[value] == '"' || text[value] == '\'';
    const size_t end = is_string ? behind_string(text, value) : text.find_first_of(" }\n", value);
    return {begin, end == std::string_view::npos ? text.size() : end};
  }
  return {0, 0};
}

inline bool has_field(std::string_view text, std::string_view name) { return find_field(text, name).found(); }

// The value as written, or "".
inline std::string field_value(std::string_view text, std::string_view name) {
  const FieldPlace place = find_field(text, name);
  if (!place.found()) return "";
  const std::string_view field = text.substr(place.begin, place.end - place.begin);
  return std::string(field.substr(field.find_first_not_of(" :", name.size())));
}

// Names of the layers or parts that the layer reads, as far as its text says them; outputs (":1") are left
// off.
inline std::vector<std::string> inputs_of(std::string text) {
  std::vector<std::string> names;
  for (FieldPlace place; (place = find_field(text, "input")).found();) {
    const std::string value = field_value(text, "input");
    std::string name;
    for (size_t i = 1; i + 1 < value.size(); ++i) {
      if (value[i] == '\\' || value[i] == '$') ++i;
      name += value[i];
    }
    names.push_back(name.substr(0, name.find(':')));
    text.erase(place.begin, place.end - place.begin);
  }
  return names;
}

// Without every `name: value` of the layer itself.
inline std::string without_field(std::string text, std::string_view name) {
  for (FieldPlace place; (place = find_field(text, name)).found();) {
    if (place.end < text.size() && text[place.end] == ' ') ++place.end;
    text.erase(place.begin, place.end - place.begin);
  }
  return text;
}

// With `field` (as written) in front of the others.
inline std::string with_field(std::string text, std::string_view field) {
  return text.insert(text.find('{') + 1, " " + std::string(field));
}

}  // namespace plait::autoencoder
