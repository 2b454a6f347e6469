#include "registry/endings.h"

#include <plait/given_file.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "registry/kind_of.h"

namespace plait::inline registry {
namespace {

template <class Rules>
std::vector<std::string> listed(const void* rules) {
  const auto* const said = static_cast<const Rules*>(rules);
  return {said->endings, said->endings + said->n_endings};
}

template <class Visit>
void for_each_type(const Registry& registry, const std::string& kind, Visit visit) {
  for (const auto& [name, entry] : registry.types())
    if (name.kind == kind) visit(entry);
}

}  // namespace

std::vector<const TypeEntry*> types_for_file(const Registry& registry, const std::string& kind,
                                             const std::string& file) {
  std::vector<const TypeEntry*> found;
  size_t longest = 0;
  for_each_type(registry, kind, [&](const TypeEntry& entry) {
    for (const std::string& ending : endings_of(entry)) {
      if (!file.ends_with(ending) || file.size() == ending.size() || ending.size() < longest) continue;
      if (ending.size() > longest) found.clear();
      longest = ending.size();
      if (std::ranges::find(found, &entry) == found.end()) found.push_back(&entry);
    }
  });
  return found;
}

std::vector<std::string> endings_of(const TypeEntry& entry) {
  const void* const rules = entry.type->rules;
  if (rules == nullptr) return {};
  const std::string_view kind = entry.type->kind;
  if (kind == kKindOf<plait_sink_ops>) return listed<plait_sink_rules>(rules);
  if (kind == kKindOf<plait_source_ops>) return listed<plait_source_rules>(rules);
  return {};
}

std::vector<std::string> all_endings(const Registry& registry, const std::string& kind) {
  std::set<std::string> endings;
  for_each_type(registry, kind, [&](const TypeEntry& entry) {
    for (const std::string& ending : endings_of(entry)) endings.insert(ending);
  });
  return {endings.begin(), endings.end()};
}

bool is_ending(const char* ending) {
  if (ending == nullptr) return false;
  const std::string_view text = ending;
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; };
  return text.size() > 1 && text.size() <= 32 && text.front() == '.' && text.back() != '.' &&
         std::ranges::all_of(text, fits) && text.find("..") == std::string_view::npos;
}

}  // namespace plait::inline registry
