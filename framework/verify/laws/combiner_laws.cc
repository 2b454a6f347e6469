// Laws of combiners.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "verify/benches/keyed_bench.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

using Values = std::vector<std::string>;

template <class Check>
Status for_each_combiner(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto benches, combiner_benches(trial, 6));
  for (const CombinerBench& bench : benches) {
    for (uint64_t round = 0; round < kValueRounds; ++round) {
      trial.doing(fmt::format("begin and fold, values of round {}, {}", round, bench.text()));
      PLAIT_TRY(Status(check(bench, round)).at(bench.text()));
    }
  }
  return {};
}

bool is_commutative(Trial& trial) {
  return (trial.rules<plait_combiner_rules>().flags & PLAIT_COMBINER_COMMUTATIVE) != 0;
}

// Partials of all values, folded as `next` says: which neighbours of how many become one, until one is left.
template <class Next>
Result<std::string> fold_all(const CombinerBench& bench, const Values& values, Next next) {
  CallContext context;
  std::vector<std::unique_ptr<Partial>> partials;
  for (const std::string& value : values) {
    partials.push_back(std::make_unique<Partial>(bench));
    PLAIT_TRY(partials.back()->begin(context, value));
  }
  while (partials.size() > 1) {
    const size_t at = next(partials.size());
    PLAIT_TRY(partials[at]->fold(context, *partials[at + 1]));
    partials.erase(partials.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
  return partials[0]->bytes();
}

Result<std::string> fold_from_left(const CombinerBench& bench, const Values& values) {
  return fold_all(bench, values, [](size_t) { return size_t{0}; });
}

// Values that one grouping refuses (a sum beyond its range) and another folds are told: which numbers meet
// first differs, and so does what is out of range on the way.
class Groupings {
 public:
  explicit Groupings(Trial& trial) : trial_(trial) {}
  Status compare(const Result<std::string>& folded, const std::string& how) {
    if (!folded && (!is_refusal(folded.status()) || is_silent(folded.status()))) return folded.status();
    if (!folded) {
      trial_.remark("refuses some of the values: " + folded.status().message());
      return {};
    }
    if (!wanted_) {
      wanted_ = *folded, first_ = how;
      return {};
    }
    return *folded == *wanted_ ? Status()
                               : broken(fmt::format("the bytes differ: folded {}, and {}", first_, how));
  }

 private:
  Trial& trial_;
  std::optional<std::string> wanted_;
  std::string first_;
};

Status associative(Trial& trial) {
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    Dice& dice = trial.dice();
    for (const size_t count : {2, 3, 3, 3, 9, 40}) {
      const Values values = draw_values(dice, bench.in, count, round);
      Groupings all(trial);
      PLAIT_TRY(all.compare(fold_from_left(bench, values), "from left to right"));
      PLAIT_TRY(all.compare(fold_all(bench, values, [](size_t n) { return n - 2; }), "from right to left"));
      for (int i = 0; i < 4; ++i)
        PLAIT_TRY(all.compare(fold_all(bench, values, [&](size_t n) { return dice.below(n - 1); }),
                              "neighbours in any grouping"));
    }
    return {};
  });
}

Status commutative(Trial& trial) {
  if (!is_commutative(trial)) return skipped("says that the order matters");
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    for (const size_t count : {2, 3, 9, 40}) {
      Values values = draw_values(trial.dice(), bench.in, count, round);
      Groupings all(trial);
      PLAIT_TRY(all.compare(fold_from_left(bench, values), "in order"));
      std::reverse(values.begin(), values.end());
      PLAIT_TRY(all.compare(fold_from_left(bench, values), "in the other order"));
      for (int i = 0; i < 4; ++i) {
        for (size_t k = values.size(); k > 1; --k) std::swap(values[k - 1], values[trial.dice().below(k)]);
        PLAIT_TRY(all.compare(fold_from_left(bench, values), "in an order that was drawn"));
      }
    }
    return {};
  });
}

Status declared(Trial& trial) {
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    const Values values = draw_values(trial.dice(), bench.in, 12, round);
    CallContext context;
    Partial into(bench);
    for (size_t i = 0; i < values.size(); ++i) {
      Partial from(bench);
      const Status begun = from.begin(context, values[i]);
      if (const auto text = from.overrun(); !text.empty())
        return broken("begin writes around its partial: " + text);
      if (!begun && is_refusal(begun)) continue;
      PLAIT_TRY(begun);
      const std::string kept = from.bytes();
      if (i == 0) PLAIT_TRY(into.begin(context, values[i]));
      const Status folded = i == 0 ? Status() : into.fold(context, from);
      if (const auto text = into.overrun() + from.overrun(); !text.empty())
        return broken("fold writes around its partials: " + text);
      if (from.bytes() != kept) return broken("fold writes the partial that it is given to read");
      if (!folded && is_refusal(folded)) return {};
      PLAIT_TRY(folded);
      if (const auto fault = value_fault(bench.out, into.bytes()); !fault.empty())
        return broken(fmt::format("says that values are folded into {}, and makes {}",
                                  value_kind_name(bench.out), fault));
    }
    return {};
  });
}

// A partial in memory that held something else.
Status one(Trial& trial) {
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    for (const std::string& value : draw_values(trial.dice(), bench.in, 12, round)) {
      CallContext context;
      Partial first(bench, Poison::kNan), second(bench, Poison::kNumber);
      const Status status = first.begin(context, value);
      if (!status && is_refusal(status)) continue;
      PLAIT_TRY(status);
      PLAIT_TRY(second.begin(context, value));
      const std::string some = first.bytes(), others = second.bytes();
      for (size_t i = 0; i < some.size(); ++i)
        if (some[i] != others[i])
          return broken(
              fmt::format("byte {} of {} that begin has to write is what was there before: padding, or "
                          "a part that is left out",
                          i, some.size()));
    }
    return {};
  });
}

Status same(Trial& trial) {
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    const Values values = draw_values(trial.dice(), bench.in, 9, round);
    const auto wanted = fold_from_left(bench, values), again = fold_from_left(bench, values);
    if (!wanted && is_refusal(wanted.status())) return {};
    PLAIT_TRY(wanted.status());
    PLAIT_TRY(again.status());
    if (*wanted != *again) return broken("the same values are folded again, to other bytes");
    CallContext context;
    CombinerBench other{bench.config, bench.in, bench.out, bench.bytes, {}};
    PLAIT_ASSIGN(other.instance,
                 create_combiner(trial.registry(), trial.entry(), *bench.config, bench.in, context));
    PLAIT_ASSIGN(const std::string others, fold_from_left(other, values));
    return others == *wanted ? Status() : broken("another instance folds the same values to other bytes");
  });
}

Status concurrent(Trial& trial) {
  return for_each_combiner(trial, [&](const CombinerBench& bench, uint64_t round) -> Status {
    constexpr size_t kThreads = 4;
    if (round > 0) return {};
    std::vector<Values> values;
    std::vector<std::string> wanted;
    for (size_t n = 0; n < kThreads; ++n) {
      values.push_back(draw_values(trial.dice(), bench.in, 6 + n, round));
      const auto folded = fold_from_left(bench, values.back());
      if (!folded && is_refusal(folded.status())) return {};
      PLAIT_TRY(folded.status());
      wanted.push_back(*folded);
    }
    const std::string fault = at_once(kThreads, [&](size_t n) -> std::string {
      for (int i = 0; i < 300; ++i) {
        const auto folded = fold_from_left(bench, values[n]);
        if (!folded) return folded.status().message();
        if (*folded != wanted[n]) return "the bytes differ";
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads fold by one instance at once");
  });
}

}  // namespace

std::vector<Law> combiner_laws() {
  constexpr const char* kKind = "combiner";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "associative", kMust, "any grouping of neighbours gives the same bytes", associative},
      {kKind, "commutative", kMust, "any order gives the same bytes, where it says so", commutative},
      {kKind, "declared", kMust, "writes partials of the kind and size that infer says, and nothing else",
       declared},
      {kKind, "one", kMust, "begin writes every byte of its partial", one},
      {kKind, "same", kMust, "the values decide, whoever folds them", same},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
  };
}

}  // namespace plait::inline verify
