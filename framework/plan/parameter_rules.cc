#include "plan/parameter_rules.h"

#include <algorithm>

#include "base/shown.h"
#include "pipeline/load.h"

namespace plait::inline plan {
namespace {

constexpr size_t kMostNames = 20;

bool needs_fans(const std::string& word) {
  return word.starts_with("glorot_") || word.starts_with("he_") || word.starts_with("lecun_");
}

Status bad_init(const InitSpec& init, const ParameterInfo& info, const std::string& what) {
  return {Code::kInvalid,
          error_at(init.where, "init: " + init.distribution.word + " " + what + ": got \"" + info.name +
                                   "\" " + shape_text(info.shape) + ", wanted 2 or more axes")};
}

Status take_fans(const InitSpec& init, ParameterInfo& info) {
  if (info.shape.size() < 2 && (info.fan_in > 0 || info.fan_out > 0)) return {};
  if (info.shape.size() < 2) return bad_init(init, info, "wants fans, which a vector has not");
  const double extents =
      static_cast<double>(element_count(std::vector<int64_t>(info.shape.begin() + 2, info.shape.end())));
  info.fan_in = static_cast<double>(info.shape[1]) * extents;
  info.fan_out = static_cast<double>(info.shape[0]) * extents;
  return {};
}

std::string names_text(const Network& network) {
  std::string text;
  size_t count = 0;
  for (const ParameterInfo& info : network.parameters) {
    if (info.buffer) continue;
    if (++count > kMostNames) return text + ", ...";
    text += (text.empty() ? "" : ", ") + info.name;
  }
  return text;
}

// The last block that says whether the parameter is frozen; null: none.
const ParametersSpec* freezing(const std::vector<ParametersSpec>& rules, const std::string& name) {
  const ParametersSpec* found = nullptr;
  for (const ParametersSpec& rule : rules)
    if (rule.frozen && matches(rule.match, name)) found = &rule;
  return found;
}

}  // namespace

// Goes back to the last * alone: the time is at most the product of the lengths.
bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, tried = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++tried;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Status take_init(const LayerSpec& layer, ParameterInfo& info) {
  for (const InitSpec& init : layer.init) {
    const InitialDistribution& from = init.distribution;
    if (init.parameter != info.name || from.word.empty()) continue;
    info.init = from.word;
    info.init_a = from.a, info.init_b = from.b;
    info.gain = from.gain;
    info.by_fan_out = from.by_fan_out;
    if (needs_fans(info.init)) PLAIT_TRY(take_fans(init, info));
    if (info.init == "orthogonal" && info.shape.size() < 2) return bad_init(init, info, "is of a matrix");
  }
  return {};
}

void take_rules(const std::vector<ParametersSpec>& rules, ParameterInfo& info) {
  if (info.buffer) return;
  for (const ParametersSpec& rule : rules) {
    if (!matches(rule.match, info.name)) continue;
    if (rule.frozen) info.frozen = *rule.frozen;
    if (rule.rate_multiplier) info.rate_multiplier = *rule.rate_multiplier;
    if (rule.l1) info.l1 = *rule.l1;
    if (rule.l2) info.l2 = *rule.l2;
    if (!rule.decay) continue;
    info.flags &= ~uint32_t{PLAIT_PARAMETER_NO_DECAY};
    if (!*rule.decay) info.flags |= PLAIT_PARAMETER_NO_DECAY;
  }
}

std::string frozen_in_part(const std::vector<ParametersSpec>& rules, const Network& network,
                           const NodeInfo& node) {
  std::string frozen, others, where;
  for (const int number : node.parameters) {
    const ParameterInfo& info = network.parameters[static_cast<size_t>(number)];
    std::string& list = info.frozen ? frozen : others;
    list += (list.empty() ? "" : ", ") + info.name;
    if (const ParametersSpec* rule = freezing(rules, info.name)) where = rule->where.text();
  }
  return "parameters of a layer are frozen together (" + where + "): got " + frozen + " frozen and " +
         others + " not, wanted all of them, as by \"" + node.layer->name + ".*\"";
}

Status check_matches(const Job& job, const Network& network) {
  for (const ParametersSpec& rule : job.parameters) {
    const auto is_meant = [&](const ParameterInfo& info) {
      return !info.buffer && matches(rule.match, info.name);
    };
    if (std::ranges::any_of(network.parameters, is_meant)) continue;
    return {Code::kInvalid,
            error_at(rule.where, "parameters: \"" + shown(rule.match) +
                                     "\" matches no parameter; there are " + names_text(network))};
  }
  return {};
}

}  // namespace plait::inline plan
