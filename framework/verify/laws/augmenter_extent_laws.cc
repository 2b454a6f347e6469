// The law of augmenters about samples whose extents vary: what lies past them is left over from samples
// before.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "verify/benches/augmenter_bench.h"

namespace plait::inline verify {
namespace {

constexpr size_t kConfigs = 8;
constexpr uint64_t kSamples = 12;

using Extents = std::array<int32_t, 2>;  // along the first axis that varies, and the second

// Parts whose first `axes` extents are those of the first part vary along them; nothing where a part varies
// already, or the first has no such axes besides one of channels.
std::optional<Parts> varying(Parts parts, size_t axes) {
  const std::vector<int64_t> first = parts.front().shape;
  if (first.size() <= axes) return std::nullopt;
  for (PartSpec& part : parts) {
    if (part.varies()) return std::nullopt;
    if (part.shape.size() < axes ||
        !std::equal(first.begin(), first.begin() + static_cast<long>(axes), part.shape.begin()))
      continue;
    part.variable_axis = 0;
    if (axes == 2) part.second_axis = 1;
  }
  return parts;
}

// Full, a single place, and some between.
Extents draw_extents(const PartSpec& part, uint64_t sample) {
  Dice dice(sample, "extents");
  Extents used{};
  for (size_t k = 0; k < 2; ++k) {
    const auto bound =
        part.varying(static_cast<int>(k)) < 0 ? 1u : static_cast<uint32_t>(part.bound(static_cast<int>(k)));
    used[k] = static_cast<int32_t>(sample == 0 ? bound : sample == 1 ? 1 : 1 + dice.below(bound));
  }
  return used;
}

// visit(element, is it within the extents, element of a tensor that is no larger than these)
template <class Visit>
void each_element(const PartSpec& part, const Extents& used, Visit visit) {
  const uint64_t count = element_count(part.shape);
  for (uint64_t k = 0; k < count; ++k) {
    uint64_t rest = k, tight = 0, stride = 1;
    bool is_within = true;
    for (size_t axis = part.shape.size(); axis-- > 0;) {
      const auto extent = static_cast<uint64_t>(part.shape[axis]);
      const uint64_t at = rest % extent;
      rest /= extent;
      const int number = static_cast<int>(axis);
      const uint64_t reach = number == part.variable_axis ? static_cast<uint64_t>(used[0])
                             : number == part.second_axis ? static_cast<uint64_t>(used[1])
                                                          : extent;
      is_within = is_within && at < reach;
      tight += at * stride;
      stride *= reach;
    }
    visit(k, is_within, tight);
  }
}

struct Varied {
  const AugmenterBench& bench;
  AugmenterSample sample;
  Extents used{};

  Varied(const AugmenterBench& made, uint64_t number, Poison poison)
      : bench(made), sample(made.in, made.out, Dice(number, "varied"), poison, made.bound, made.workspace) {
    for (const PartSpec& part : made.in)
      if (part.varies()) used = draw_extents(part, number);
  }
  void reach(const Extents& extents) {
    used = extents;
    for (const auto& input : sample.inputs)
      if (input->spec().varies())
        input->set_extents(used.data(), input->spec().second_axis < 0 ? nullptr : used.data() + 1);
    sample.keep_inputs();
  }
  void change_what_is_past() const {
    for (const auto& input : sample.inputs)
      each_element(input->spec(), used, [&](uint64_t k, bool is_within, uint64_t) {
        if (!is_within) input->set(k, input->get(k) == 1 ? 0 : 1);
      });
  }
  // Of a sample that is no larger than the extents: what another holds within them.
  void take(const Varied& other) const {
    for (size_t i = 0; i < sample.inputs.size(); ++i)
      each_element(other.bench.in[i], other.used, [&](uint64_t k, bool is_within, uint64_t tight) {
        if (is_within) sample.inputs[i]->set(tight, other.sample.inputs[i]->get(k));
      });
  }
  Status apply(uint64_t key) {
    PLAIT_TRY(apply_augmenter(bench, sample, key));
    return sample.check_memory();
  }
};

// "" or the output that is another than that of the sample alone.
std::string difference(const Varied& padded, const Varied& alone) {
  for (size_t i = 0; i < padded.sample.outputs.size(); ++i) {
    const PartSpec& part = padded.bench.out[i];
    const Extents made{padded.sample.length(i), padded.sample.length(i, 1)};
    if (part.varies() && (made[0] != alone.sample.length(i) || made[1] != alone.sample.length(i, 1)))
      return fmt::format("the extents of output \"{}\"", part.name);
    bool same = true;
    each_element(part, made, [&](uint64_t k, bool is_within, uint64_t tight) {
      if (is_within && same)
        same = tight < alone.sample.outputs[i]->elements() &&
               padded.sample.outputs[i]->get(k) == alone.sample.outputs[i]->get(tight);
    });
    if (!same) return fmt::format("output \"{}\"", part.name);
  }
  return "";
}

// Ok where what the augmenter makes has another form for samples so small, or depends on all data.
Status check_alone(Trial& trial, const Example& one, const Varied& padded, uint64_t key) {
  Parts tight = padded.bench.in;
  for (PartSpec& part : tight) {
    if (part.variable_axis >= 0) part.shape[static_cast<size_t>(part.variable_axis)] = padded.used[0];
    if (part.second_axis >= 0) part.shape[static_cast<size_t>(part.second_axis)] = padded.used[1];
  }
  auto bench = make_augmenter_bench(trial, one, tight);
  if (!bench) return is_refusal(bench.status()) ? Status() : bench.status();
  Varied alone(*bench, key, Poison::kNan);
  alone.take(padded);
  alone.reach(padded.used);
  PLAIT_TRY(alone.apply(key).at("alone, of its own extents"));
  const std::string what = difference(padded, alone);
  return what.empty()
             ? Status()
             : broken(fmt::format(
                   "{} of a sample of extents {}, {} among larger ones is not what it is of the sample alone",
                   what, padded.used[0], padded.used[1]));
}

Status check_case(Trial& trial, const Example& one, const AugmenterBench& bench, uint64_t key,
                  bool& applied) {
  Varied first(bench, key, Poison::kNan), second(bench, key, Poison::kNumber);
  second.change_what_is_past();
  first.reach(first.used), second.reach(second.used);
  const Status done = first.apply(key);
  if (!done && is_refusal(done)) return {};  // a sample that is too small for it
  PLAIT_TRY(done);
  PLAIT_TRY(second.apply(key));
  applied = true;
  if (const std::string what = first.sample.difference(second.sample); !what.empty())
    return broken(fmt::format("{} of a sample of extents {}, {} depends on what lies past them", what,
                              first.used[0], first.used[1]));
  // Who does not say that it honours extents may look at those of the part.
  const bool honours = (trial.type().flags & PLAIT_TYPE_TWO_AXES) != 0;
  if (!honours || wants_fit(trial.host_ops<plait_augmenter_ops>())) return {};
  return check_alone(trial, one, first, key);
}

Status extents(Trial& trial) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, kConfigs));
  const bool takes_two = (trial.type().flags & PLAIT_TYPE_TWO_AXES) != 0;
  int tried = 0;
  for (const Example& one : configs) {
    for (const Parts& usual : parts_for(one)) {
      std::vector<Parts> forms;
      if (std::ranges::any_of(usual, [](const PartSpec& part) { return part.varies(); }))
        forms.push_back(usual);
      for (size_t axes = 1; takes_two && axes <= 2; ++axes)
        if (auto form = varying(usual, axes)) forms.push_back(std::move(*form));
      for (const Parts& parts : forms) {
        auto bench = make_augmenter_bench(trial, one, parts);
        if (!bench && is_refusal(bench.status())) continue;
        if (!bench) return bench.status().at("infer or create");
        trial.doing("apply, " + bench->text());
        bool applied = false;
        for (uint64_t key = 0; key < kSamples; ++key)
          PLAIT_TRY(check_case(trial, one, *bench, key, applied).at(bench->text()));
        tried += applied ? 1 : 0;
      }
    }
  }
  if (tried == 0) return skipped("accepts no part that varies");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> augmenter_extent_laws() {
  return {{"augmenter", "extents", Severity::kMust, "what lies past a sample's extents does not matter",
           extents}};
}

}  // namespace plait::inline verify
