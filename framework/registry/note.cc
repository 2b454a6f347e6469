#include "registry/note.h"

#include <fmt/format.h>
#include <plait/abi.h>

#include <algorithm>
#include <sstream>

#include "registry/check.h"

namespace plait::inline registry {
namespace {

constexpr char kOwner[] = "Plait";
constexpr uint32_t kText = 1;

// The file may be anything: what is shown to people holds no control characters.
bool is_word(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool take_abi(std::istream& words, PluginNote& note) {
  std::string draft, needs;
  char dot = 0;
  words >> note.abi_major >> dot >> note.abi_minor >> draft >> note.abi_draft >> needs >> note.min_host_minor;
  return words && dot == '.' && draft == "draft" && needs == "needs";
}

// Lines of a later age, and damaged ones, are passed over.
void take_line(const std::string& line, PluginNote& note) {
  std::istringstream words(line);
  std::string word, first, second, third;
  words >> word >> first >> second >> third;
  if (word == "more") note.complete = false;
  if (!is_word(word) || !is_word(first)) return;
  if (word == "plugin") {
    if (is_word(second)) note.id = first, note.version = second;
  } else if (word == "implementation") {
    if (is_word(third)) note.implementations.push_back({first, second, third});
    if (third.empty() && is_word(second)) note.implementations.push_back({"", first, second});
  } else {
    note.types.push_back({word, first});
  }
}

std::optional<PluginNote> parsed(const std::string& text) {
  PluginNote note;
  std::istringstream lines(text.substr(0, text.find('\0')));
  std::string line;
  if (!(lines >> line) || line != "abi" || !take_abi(lines, note)) return std::nullopt;
  while (std::getline(lines, line)) take_line(line, note);
  return note;
}

}  // namespace

std::vector<std::string> PluginNote::serves() const {
  std::vector<std::string> names;
  for (const Type& type : types) names.push_back(type.kind + " " + type.id);
  for (const Implementation& made : implementations)
    names.push_back((made.kind.empty() ? "" : made.kind + " ") + made.type_id + " on " + made.device_id);
  return names;
}

bool PluginNote::is_for_devices() const {
  return complete && types.empty() && !implementations.empty() && !serves_device(PLAIT_HOST_DEVICE);
}

bool PluginNote::serves_device(const std::string& device_id) const {
  return std::ranges::any_of(implementations,
                             [&](const Implementation& made) { return made.device_id == device_id; });
}

std::optional<PluginNote> note_of(const ElfFile& file) {
  for (const ElfNote& note : file.notes)
    if (note.owner == kOwner && note.type == kText) return parsed(note.text);
  return std::nullopt;
}

Status check_note(const PluginNote& note) {
  if (note.abi_major != PLAIT_ABI_MAJOR)
    return {Code::kInvalid, fmt::format("is a plugin for ABI major {}, this Plait has major {}",
                                        note.abi_major, PLAIT_ABI_MAJOR)};
  return check_version(note.abi_draft, note.min_host_minor);
}

}  // namespace plait::inline registry
