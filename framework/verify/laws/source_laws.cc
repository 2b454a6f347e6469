// Laws of sources.
#include <fmt/format.h>

#include <set>

#include "registry/shape_text.h"
#include "verify/benches/source_bench.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"
#include "verify/laws/source_file_law.h"

namespace plait::inline verify {
namespace {

template <class Check>
Status for_each_source(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  std::string refusal;
  int tried = 0;
  for (const Example& one : configs) {
    const std::string text = config_text(*one.config);
    SourceBench bench;
    CallContext context;
    trial.doing("open, " + text);
    auto opened =
        create_instance(trial.registry(), trial.entry(), *one.config, trial.name().device_id, context);
    if (!opened && !is_refusal(opened.status())) return opened.status().at("open");
    if (!opened) {
      refusal = opened.status().message();
      continue;
    }
    bench.instance = std::move(*opened);
    PLAIT_ASSIGN(bench.described, describe_source(bench.instance, context, kMostRecordsTried));
    trial.doing("read, " + text);
    PLAIT_TRY(check(bench).at(text));
    ++tried;
  }
  if (tried == 0)
    return skipped("no source opens with what can be guessed (" + refusal +
                   "); give an example (plait/verify.h)");
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

std::vector<int64_t> some_records(const SourceDescription& described) {
  std::set<int64_t> places;
  for (int64_t n = 0; n < 12; ++n) places.insert(n * std::max<int64_t>(described.records - 1, 0) / 11);
  return {places.begin(), places.end()};
}

uint64_t record_bytes(const SourceDescription& described) {
  uint64_t bytes = 0;
  for (const PartSpec& part : described.parts) bytes += byte_count(part);
  return bytes;
}

// All of them where that is little to read; else some that are spread, and others drawn among them.
std::vector<int64_t> many_records(Trial& trial, const SourceDescription& described) {
  constexpr uint64_t kBytes = 32 << 20, kLeastBytes = 8'192;  // in all; what a read costs, if nothing else
  const uint64_t most = std::max<uint64_t>(kBytes / std::max(record_bytes(described), kLeastBytes), 12);
  const auto some = some_records(described);
  std::set<int64_t> places(some.begin(), some.end());
  const auto records = static_cast<uint64_t>(std::max<int64_t>(described.records, 0));
  for (uint64_t n = 0; n < std::min(most, records); ++n)
    places.insert(static_cast<int64_t>(records <= most ? n : trial.dice().below(records)));
  return {places.begin(), places.end()};
}

Status memory(Trial& trial) {
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    SourceRecord first(bench.described, Poison::kNan), second(bench.described, Poison::kNumber);
    for (int64_t index : many_records(trial, bench.described)) {
      first.forget(Poison::kNan), second.forget(Poison::kNumber);
      PLAIT_TRY(first.read(bench.instance, index));
      PLAIT_TRY(second.read(bench.instance, index));
      if (const auto text = first.overrun(); !text.empty())
        return broken(fmt::format("writes outside its memory for record {}: {}", index, text));
      if (const auto what = first.difference(second); !what.empty())
        return broken(what + fmt::format(" of record {} is not all written", index));
    }
    return {};
  });
}

Status same_again(Trial& trial) {
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    const auto places = some_records(bench.described);
    std::vector<std::unique_ptr<SourceRecord>> wanted;
    for (int64_t index : places) {
      wanted.push_back(std::make_unique<SourceRecord>(bench.described, Poison::kNan));
      PLAIT_TRY(wanted.back()->read(bench.instance, index));
    }
    for (size_t i = 0; i < places.size(); ++i) {
      // A stream is read in its order, a source with random access backwards as well.
      const size_t at = bench.described.random_access ? places.size() - 1 - i : i;
      SourceRecord again(bench.described, Poison::kNan);
      PLAIT_TRY(again.read(bench.instance, places[at]));
      if (const auto what = wanted[at]->difference(again); !what.empty())
        return broken(what + fmt::format(" of record {} differs when it is read again", places[at]));
    }
    return {};
  });
}

Status concurrent(Trial& trial) {
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    const auto places = some_records(bench.described);
    std::vector<std::unique_ptr<SourceRecord>> wanted;
    for (int64_t index : places) {
      wanted.push_back(std::make_unique<SourceRecord>(bench.described, Poison::kNan));
      PLAIT_TRY(wanted.back()->read(bench.instance, index));
    }
    const std::string fault = at_once(4, [&](size_t n) -> std::string {
      for (size_t i = 0; i < 20 * places.size(); ++i) {
        const size_t at = (i + 3 * n) % places.size();
        SourceRecord again(bench.described, Poison::kNan);
        if (const Status status = again.read(bench.instance, places[at]); !status) return status.message();
        if (const auto what = wanted[at]->difference(again); !what.empty())
          return what + fmt::format(" of record {} differs", places[at]);
      }
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when several threads read at once");
  });
}

// What comes after the records that are tried is not known.
bool goes_on(const SourceBench& bench) {
  const auto* const ops = bench.instance.ops<plait_source_ops>();
  return PLAIT_HAS(ops, count_up_to) && bench.described.records == kMostRecordsTried;
}

Result<int64_t> count_up_to(const SourceBench& bench, int64_t most) {
  const auto* const ops = bench.instance.ops<plait_source_ops>();
  CallContext context;
  int64_t count = -1;
  PLAIT_TRY(context.call([&] { return ops->count_up_to(bench.instance.self(), context.raw(), most, &count); })
                .at(fmt::format("count_up_to({})", most)));
  return count;
}

Status counted(Trial& trial) {
  const plait_source_ops* const ops = &trial.ops<plait_source_ops>();
  if (!PLAIT_HAS(ops, count_up_to)) return skipped("knows its length");
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    const int64_t records = bench.described.records;
    SourceRecord record(bench.described, Poison::kNan);
    for (const int64_t most : {int64_t{0}, int64_t{1}, records - 1, records, records + 1, int64_t{1}}) {
      if (most > records && goes_on(bench)) continue;
      PLAIT_ASSIGN(const int64_t count, count_up_to(bench, most));
      if (count != std::min(most, records))
        return broken(fmt::format("counts {} records up to {}, and {} up to {}", count, most, records,
                                  kMostRecordsTried));
      if (records > 0) PLAIT_TRY(record.read(bench.instance, records - 1));  // wherever counting has left it
    }
    return {};
  });
}

Status out_of_range(Trial& trial) {
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    std::vector<int64_t> outside = {-1, INT64_MIN};
    if (!goes_on(bench))
      outside.insert(outside.end(), {bench.described.records, bench.described.records + 1000000, INT64_MAX});
    for (const int64_t index : outside) {
      SourceRecord record(bench.described, Poison::kNan);
      trial.doing(fmt::format("read of record {} of {}", index, bench.described.records));
      int32_t error = 0;
      if (record.read(bench.instance, index, &error))
        return broken(fmt::format("reads record {} of {}", index, bench.described.records));
      if (error == PLAIT_ERROR_CORRUPT)
        return broken(fmt::format("calls record {} of {} corrupt: the host would draw another", index,
                                  bench.described.records));
    }
    return {};
  });
}

Status described(Trial& trial) {
  return for_each_source(trial, [&](const SourceBench& bench) -> Status {
    const SourceDescription& d = bench.described;
    if (d.records < 1) return broken(fmt::format("has {} records", d.records));
    if (!d.random_access && d.block < 1) return broken("is read in order, but says no block");
    if (!d.class_names.empty() && d.class_names.size() != d.n_classes)
      return broken("names of classes and their number differ");
    return {};
  });
}

}  // namespace

std::vector<Law> source_laws() {
  constexpr const char* kKind = "source";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "described", kMust, "says how many records there are, and what is in them", described},
      {kKind, "memory", kMust, "a record fills its parts and nothing else", memory},
      {kKind, "same_again", kMust, "a record is the same whenever it is read", same_again},
      {kKind, "concurrent", kMust, "several threads read at once", concurrent},
      {kKind, "counted", kMust, "a source of unknown length counts the same records whenever it is asked",
       counted},
      {kKind, "named_files", kMust, "a file that is named alone is opened as the rules say",
       opens_named_files},
      {kKind, "out_of_range", kMust, "a record that does not exist is refused", out_of_range},
  };
}

}  // namespace plait::inline verify
