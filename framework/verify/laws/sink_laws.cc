// Laws of sinks.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/shown.h"
#include "registry/shape_text.h"
#include "verify/benches/sink_bench.h"
#include "verify/engine/law.h"
#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
namespace {

constexpr size_t kConfigs = 6;

// Every list of arrays that the sink says it can write, filled.
Status for_each_arrays(Trial& trial,
                       const std::function<Status(const SinkBench&, const FilledArrays&)>& check) {
  if (!writes_arrays(trial.entry())) return {};
  PLAIT_ASSIGN(const auto benches, sink_benches(trial, kConfigs));
  for (const SinkBench& bench : benches) {
    for (const auto& specs : usual_arrays()) {
      const FilledArrays arrays = draw_arrays(trial.dice(), specs);
      const std::string what = bench.text() + ", " + arrays_text(arrays);
      trial.doing("arrays, " + what);
      PLAIT_ASSIGN(const bool takes, bench.takes(arrays));
      if (takes) PLAIT_TRY(check(bench, arrays).at(what));
    }
  }
  return {};
}

// Every kind of value that it says it can write.
Status for_each_value(Trial& trial, const std::function<Status(const SinkBench&, uint32_t value)>& check) {
  if (!writes_pairs(trial.entry())) return {};
  PLAIT_ASSIGN(const auto benches, sink_benches(trial, kConfigs));
  for (const SinkBench& bench : benches) {
    for (const uint32_t value : kSinkValues) {
      const std::string what = fmt::format("{}, pairs of {}", bench.text(), value_kind_name(value));
      trial.doing(what);
      PLAIT_ASSIGN(const bool takes, bench.takes(value));
      if (takes) PLAIT_TRY(check(bench, value).at(what));
    }
  }
  return {};
}

// ---- same

template <class... Input>
Status check_same(Trial& trial, const SinkBench& bench, const Input&... input) {
  PLAIT_ASSIGN(const std::string wanted, file_of(bench, input...));
  std::string again;
  CallContext context;
  const auto take = [&](std::string_view bytes) {
    again += bytes;
    return Status();
  };
  PLAIT_TRY(bench.write(context, input..., take, Poison::kNumber));
  if (again != wanted) return broken("the same input is written again, to other bytes");
  PLAIT_ASSIGN(Instance other,
               create_instance(trial.registry(), trial.entry(), *bench.config, PLAIT_HOST_DEVICE, context));
  const SinkBench second{bench.config, std::make_shared<Instance>(std::move(other))};
  PLAIT_ASSIGN(const std::string others, file_of(second, input...));
  return others == wanted ? Status() : broken("another instance writes the same input to other bytes");
}

Status same(Trial& trial) {
  PLAIT_TRY(for_each_arrays(trial, [&](const SinkBench& bench, const FilledArrays& arrays) {
    return check_same(trial, bench, arrays);
  }));
  return for_each_value(trial, [&](const SinkBench& bench, uint32_t value) {
    return check_same(trial, bench, value, draw_sorted_pairs(trial.dice(), value, 40));
  });
}

// ---- exact

Status arrays_exact(Trial& trial, const SinkBench& bench, const FilledArrays& arrays) {
  PLAIT_ASSIGN(const std::string wanted, file_of(bench, arrays));
  for (size_t i = 0; i < arrays.size(); ++i) {
    const PartSpec& spec = arrays[i].spec.spec;
    if (arrays[i].bytes.empty()) continue;
    const size_t element = trial.dice().below(arrays[i].bytes.size() / dtype_bytes(spec.dtype));
    FilledArrays changed = arrays;
    changed[i].bytes[element * dtype_bytes(spec.dtype)] ^= 1;  // little endian: its last bit
    PLAIT_ASSIGN(const std::string others, file_of(bench, changed));
    if (others == wanted)
      return broken(fmt::format("element {} of \"{}\" changes in its last bit, and the file does not",
                                element, spec.name));
  }
  FilledArrays shorter = arrays;
  for (FilledArray& array : shorter) {
    PartSpec& spec = array.spec.spec;
    if (spec.shape.empty() || spec.shape.front() == 0) return {};
    array.bytes.resize(array.bytes.size() / static_cast<size_t>(spec.shape.front()) *
                       static_cast<size_t>(spec.shape.front() - 1));
    --spec.shape.front();
  }
  PLAIT_ASSIGN(const bool takes, bench.takes(shorter));
  if (!takes) return {};
  PLAIT_ASSIGN(const std::string others, file_of(bench, shorter));
  return others == wanted ? broken("the last rows are left out, and the file is the same") : Status();
}

Status pairs_exact(Trial& trial, const SinkBench& bench, uint32_t value) {
  const Pairs pairs = draw_sorted_pairs(trial.dice(), value, 40);
  PLAIT_ASSIGN(const std::string wanted, file_of(bench, value, pairs));
  for (const size_t at : {size_t{0}, trial.dice().below(pairs.size()), pairs.size() - 1}) {
    Pairs changed = pairs;
    if (changed[at].value.empty())
      changed[at].value = "x";
    else
      changed[at].value.front() = static_cast<char>(changed[at].value.front() ^ 1);
    PLAIT_ASSIGN(const std::string others, file_of(bench, value, changed));
    if (others == wanted)
      return broken(fmt::format("the value of pair {} changes in one bit, and the file does not", at));
  }
  PLAIT_ASSIGN(const std::string shorter, file_of(bench, value, Pairs(pairs.begin(), pairs.end() - 1)));
  return shorter == wanted ? broken("the last pair is left out, and the file is the same") : Status();
}

Status exact(Trial& trial) {
  PLAIT_TRY(for_each_arrays(trial, [&](const SinkBench& bench, const FilledArrays& arrays) {
    return arrays_exact(trial, bench, arrays);
  }));
  return for_each_value(
      trial, [&](const SinkBench& bench, uint32_t value) { return pairs_exact(trial, bench, value); });
}

// ---- apart

std::string value_of(uint32_t kind, int64_t number) {
  const double real = static_cast<double>(number);
  if (kind == PLAIT_VALUE_I64) return {reinterpret_cast<const char*>(&number), sizeof number};
  if (kind == PLAIT_VALUE_F64) return {reinterpret_cast<const char*>(&real), sizeof real};
  return std::to_string(number);
}

// Pairs that a file could take for each other: what parts fields, lines and quotes is within them.
std::vector<Pairs> confusing_pairs(uint32_t kind) {
  const std::string one = value_of(kind, 1), two = value_of(kind, 2);
  std::vector<Pairs> lists = {{}, {{"", one}}, {{"a", one}}, {{"a", one}, {"b", two}}};
  for (const char* key : {"a\t1\nb", "a,1\nb", "a\r", "a\n", "a\\n", "a\\t", "a\t", "a\\", "\"a\"", "a\"",
                          "'a'", " a", "a ", "a,", "#a",
                          "\xEF\xBB\xBF"
                          "a"})
    lists.push_back({{key, one}});
  lists.push_back({{std::string("a\0", 2), one}});
  if (kind != PLAIT_VALUE_BYTES) return lists;
  for (const char* value :
       {"", "1\n", "1\nb\t2", "1\nb,2", "1\r\nb,2", "\"1\"", "1\"", "\\n", "1,2", "1\t2", " 1"})
    lists.push_back({{"a", value}});
  lists.push_back({{"a\tb", "c"}});
  lists.push_back({{"a", "b\tc"}});
  lists.push_back({{"a,b", "c"}});
  lists.push_back({{"a", "b,c"}});
  return lists;
}

std::string pairs_text(const Pairs& pairs) {
  std::string text;
  for (const KeyedPair& pair : pairs)
    text += fmt::format("{}\"{}\": \"{}\"", text.empty() ? "" : ", ", shown(pair.key), shown(pair.value));
  return "{" + text + "}";
}

// Arrays whose names, or those of their columns, a heading could confuse.
std::vector<std::vector<SinkArraySpec>> confusing_names() {
  const auto table = [](const char* name, std::vector<std::string> columns) {
    const auto places = static_cast<int64_t>(columns.size());
    return std::vector<SinkArraySpec>{{{name, PLAIT_I64, {1, places}, -1}, std::move(columns)}};
  };
  return {table("a", {"x,y", "z"}),   table("a", {"x", "y,z"}), table("a", {"x\ty", "z"}),
          table("a", {"x", "y\tz"}),  table("a", {"x\n", "y"}), table("a", {"x", "\ny"}),
          table("a", {"\"x\"", "y"}), table("a", {"x", "y"}),   table("a", {"x\\n", "y"}),
          table("a", {"", "xy"}),     table("a", {"xy", ""}),   table("a", {"x\"", "\"y"})};
}

// Which input each file was of; two of one file are confused.
class DistinctFiles {
 public:
  Status add(const Result<std::string>& file, const std::string& of) {
    if (!file && is_refusal(file.status()) && !is_silent(file.status())) return {};
    PLAIT_TRY(file.status());
    const auto [known, is_new] = of_.emplace(*file, of);
    return is_new ? Status() : broken(fmt::format("{} and {} become the same file", known->second, of));
  }

 private:
  std::map<std::string, std::string> of_;
};

Status pairs_apart(const SinkBench& bench, uint32_t value) {
  DistinctFiles files;
  for (const Pairs& pairs : confusing_pairs(value))
    PLAIT_TRY(files.add(file_of(bench, value, pairs), pairs_text(pairs)));
  return {};
}

Status names_apart(const SinkBench& bench) {
  DistinctFiles files;
  for (const auto& specs : confusing_names()) {
    const SinkArraySpec& spec = specs.front();
    const FilledArrays arrays = {{spec, std::string(byte_count(spec.spec), '\0')}};
    PLAIT_ASSIGN(const bool takes, bench.takes(arrays));
    if (!takes) continue;
    PLAIT_TRY(files
                  .add(file_of(bench, arrays), fmt::format("columns \"{}\" and \"{}\"",
                                                           shown(spec.columns[0]), shown(spec.columns[1])))
                  .at(bench.text()));
  }
  return {};
}

Status apart(Trial& trial) {
  PLAIT_TRY(for_each_value(trial,
                           [](const SinkBench& bench, uint32_t value) { return pairs_apart(bench, value); }));
  if (!writes_arrays(trial.entry()) || !is_table(trial.entry())) return {};
  PLAIT_ASSIGN(const auto benches, sink_benches(trial, kConfigs));
  for (const SinkBench& bench : benches) PLAIT_TRY(names_apart(bench));
  return {};
}

// ---- refused

// The k-th piece is refused: the call fails, nothing comes after it, and the instance is as good as before.
template <class... Input>
Status check_refused(const SinkBench& bench, const Input&... input) {
  PLAIT_ASSIGN(const std::string wanted, file_of(bench, input...));
  for (uint64_t room : {uint64_t{0}, uint64_t{1}, uint64_t{100}, uint64_t{1} << 20}) {
    CallContext context;
    uint64_t taken = 0;
    const Status status = bench.write(context, input..., [&](std::string_view bytes) -> Status {
      taken += bytes.size();
      if (taken > room) return {Code::kIo, "the kit's disk is full"};
      return {};
    });
    if (taken <= room) {
      PLAIT_TRY(status);
      continue;
    }
    if (status.message().find("the kit's disk is full") == std::string::npos || status.code() != Code::kIo)
      return status ? broken("takes no notice that its bytes are refused") : status;
  }
  PLAIT_ASSIGN(const std::string again, file_of(bench, input...));
  return again == wanted ? Status() : broken("writes other bytes after some were refused");
}

Status refused(Trial& trial) {
  PLAIT_TRY(for_each_arrays(trial, [&](const SinkBench& bench, const FilledArrays& arrays) {
    return check_refused(bench, arrays);
  }));
  return for_each_value(trial, [&](const SinkBench& bench, uint32_t value) {
    return check_refused(bench, value, draw_sorted_pairs(trial.dice(), value, 40));
  });
}

// ---- checked

Status checked(Trial& trial) {
  int tried = 0;
  PLAIT_TRY(for_each_arrays(trial, [&](const SinkBench& bench, const FilledArrays& arrays) -> Status {
    ++tried;
    const auto file = file_of(bench, arrays);
    return file ? Status()
                : broken("check_arrays lets through what cannot be written: " + file.status().message());
  }));
  PLAIT_TRY(for_each_value(trial, [&](const SinkBench& bench, uint32_t value) -> Status {
    ++tried;
    for (const size_t count : {0, 1, 40}) {
      const auto file = file_of(bench, value, draw_sorted_pairs(trial.dice(), value, count));
      if (!file)
        return broken(fmt::format("check_pairs lets through what cannot be written, {} pairs: {}", count,
                                  file.status().message()));
    }
    return {};
  }));
  if (tried == 0) return skipped("refuses all the arrays and pairs that the kit draws");
  return {};
}

// Rows that are not counted yet: what is let through then can be written whatever their number is.
Status uncounted(Trial& trial) {
  return for_each_arrays(trial, [&](const SinkBench& bench, const FilledArrays& arrays) -> Status {
    for (const FilledArray& array : arrays)
      if (array.spec.spec.shape.empty() ||
          array.spec.spec.shape.front() != arrays.front().spec.spec.shape.front())
        return {};
    for (const int64_t rows : {-1, 0, 1, 3}) {
      std::vector<SinkArraySpec> specs;
      for (const FilledArray& array : arrays) {
        specs.push_back(array.spec);
        specs.back().spec.shape.front() = rows;
      }
      CallContext context;
      const Status said = check_arrays(trial.entry(), *bench.config, specs, context);
      if (!said && rows < 0) return is_refusal(said) && !is_silent(said) ? Status() : said;
      if (!said)
        return broken(
            fmt::format("arrays of rows are let through before their number is known, and refused "
                        "with {}: {}",
                        rows, said.message()));
    }
    return {};
  });
}

// ---- memory

uint64_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Status passes_pairs_on(Trial& trial) {
  if (is_sanitized()) return skipped("a sanitizer has a heap of its own");
  constexpr size_t kPairs = 200'000;
  constexpr uint64_t kRoom_bytes = 8 << 20;  // pieces of some megabytes are as good
  return for_each_value(trial, [&](const SinkBench& bench, uint32_t value) -> Status {
    Pairs pairs = draw_sorted_pairs(trial.dice(), value, kPairs);
    for (size_t i = 0; i < pairs.size(); ++i) pairs[i].key = fmt::format("{:040}", i);
    CallContext context;
    const uint64_t before = heap_bytes();
    uint64_t most = before;
    PLAIT_TRY(bench.write(context, value, pairs, [&](std::string_view) {
      most = std::max(most, heap_bytes());
      return Status();
    }));
    if (most <= before + kRoom_bytes) return {};
    return broken(fmt::format("holds {} MiB while it writes {} pairs: they are more than fits into memory",
                              (most - before) >> 20, kPairs));
  });
}

}  // namespace

std::vector<Law> sink_laws() {
  constexpr const char* kKind = "sink";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "checked", kMust, "what its checks let through can be written", checked},
      {kKind, "uncounted", kMust, "its check of arrays holds for any number of rows", uncounted},
      {kKind, "same", kMust, "the input decides the bytes, whoever writes them", same},
      {kKind, "exact", kMust, "no number loses a bit, and no row is left out", exact},
      {kKind, "apart", kMust, "keys, values and names that hold what parts fields are told apart", apart},
      {kKind, "refused", kMust, "fails when its bytes are refused, at once, and goes on the next time",
       refused},
      {kKind, "memory", kMust, "pairs are passed on, not kept", passes_pairs_on},
  };
}

}  // namespace plait::inline verify
