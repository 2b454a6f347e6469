// did_you_mean.
#include <algorithm>

#include "registry/registry.h"

namespace plait::inline registry {
namespace {

constexpr size_t kMostCandidates = 10'000;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  }
  return text;
}

// Insertions, deletions, replacements and exchanges of neighbours.
// Source: Damerau 1964; the form in which no part is edited twice.
size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<size_t> before(to.size() + 1), last(to.size() + 1), now(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) now[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    before.swap(last), last.swap(now);
    now[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const bool same = from[i - 1] == to[j - 1];
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool exchanged = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (exchanged) now[j] = std::min(now[j], before[j - 2] + 1);
    }
  }
  return now[to.size()];
}

template <class Is>
std::string only_one(const std::vector<std::string>& candidates, Is is) {
  if (std::count_if(candidates.begin(), candidates.end(), is) != 1) return "";
  return *std::find_if(candidates.begin(), candidates.end(), is);
}

// "conv" for "convolution", or "pool" for "max_pool", when nothing else begins or ends so.
std::string only_completion(const std::string& name, const std::vector<std::string>& candidates) {
  if (name.size() < 3) return "";
  const std::string begun =
      only_one(candidates, [&](const std::string& one) { return lower(one).starts_with(name); });
  if (!begun.empty()) return begun;
  return only_one(candidates, [&](const std::string& one) { return lower(one).ends_with("_" + name); });
}

}  // namespace

std::string did_you_mean(const std::string& name, const std::vector<std::string>& candidates) {
  if (candidates.size() > kMostCandidates) return "";
  const std::string typed = lower(name);
  std::string nearest;
  size_t least = (typed.size() + 2) / 3 + 1;
  for (const auto& candidate : candidates) {
    // The lengths alone are too far apart: also spares the work on a word of a megabyte.
    if (std::max(typed.size(), candidate.size()) - std::min(typed.size(), candidate.size()) >= least)
      continue;
    const size_t distance = edit_distance(typed, lower(candidate));
    // Not everything changed: "ab" is not "xy" mistyped.
    if (distance >= least || distance >= std::max(typed.size(), candidate.size())) continue;
    least = distance, nearest = candidate;
  }
  return nearest.empty() ? only_completion(typed, candidates) : nearest;
}

}  // namespace plait::inline registry
