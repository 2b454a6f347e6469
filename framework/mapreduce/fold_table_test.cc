#include "mapreduce/fold_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <plait/sdk.hpp>
#include <string>
#include <unordered_map>

#include "mapreduce/spill_parts.h"

namespace plait::inline mapreduce {
namespace {

// Adds up numbers; the rest of `size` bytes is what the first of them was.
template <size_t size>
struct PaddedSum {
  static constexpr bool commutative = true;
  static void describe(sdk::Describe<PaddedSum>& d) { d.doc("sum of i64, in a larger partial"); }
  sdk::Folded infer(sdk::Value) const { return {sdk::Value::kBytes, size}; }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    std::memcpy(partial.data(), value.data(), 8);
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    int64_t a, b;
    std::memcpy(&a, into.data(), 8);
    std::memcpy(&b, from.data(), 8);
    a += b;
    std::memcpy(into.data(), &a, 8);
  }
};

const Registry& plugins() {
  static const sdk::PluginTable table(
      "test.folding", "1.0.0", "Apache-2.0", sdk::combiner<PaddedSum<8>>("test.sum_8"),
      sdk::combiner<PaddedSum<40>>("test.sum_40"), sdk::combiner<PaddedSum<4096>>("test.sum_4096"));
  static const Registry registry = Registry::from_plugins({table.c()}).value();
  return registry;
}

std::unique_ptr<Combiner> combiner_of(const std::string& id) {
  PluginSpec spec;
  spec.entry = plugins().find("combiner", id);
  REQUIRE(spec.entry != nullptr);
  spec.config = *default_config(spec.entry->type->fields, spec.entry->type->n_fields);
  return Combiner::create(plugins(), spec, PLAIT_VALUE_I64).value();
}

int64_t number(const std::byte* partial) {
  int64_t sum;
  std::memcpy(&sum, partial, sizeof sum);
  return sum;
}

// Short ones, the empty one, one of zeros, some beyond a byte's length and some larger than a chunk.
std::string key_of(uint64_t i) {
  const uint64_t drawn = key_hash(std::to_string(i));
  const uint64_t which = drawn % (drawn % 2 == 0 ? 20 : 3000);
  if (which == 0) return "";
  if (which == 1) return std::string(3, '\0');
  std::string key = "key" + std::to_string(which);
  if (which % 50 == 2) key += std::string(250 + which % 9, 'x');
  if (which % 1000 == 3) key += std::string(60'000, 'y');
  return key;
}

using Sums = std::map<std::string, int64_t>;

class Folded {
 public:
  Folded(const std::string& id, uint64_t bound, HeldBytes* held = nullptr)
      : combiner(combiner_of(id)), table(*combiner, bound, held) {}
  void fold(uint64_t i) {
    const std::string key = key_of(i);
    const auto value = static_cast<int64_t>(i);
    REQUIRE(table.fold_value(context, key_hash(key), key, sdk::bytes_of(value)));
  }
  std::unique_ptr<Combiner> combiner;
  FoldTable table;
  CallContext context;
};

TEST_CASE("keys that come often are folded at once, also while others leave the table") {
  for (const char* id : {"test.sum_8", "test.sum_40", "test.sum_4096"})
    for (const uint64_t bound : {uint64_t{1} << 30, uint64_t{1} << 20, uint64_t{1} << 15, uint64_t{1} << 9}) {
      CAPTURE(std::string(id));
      CAPTURE(bound);
      Folded folded(id, bound);
      Sums wanted, left;
      const FoldTable::Taker take = [&](std::string_view key, const std::byte* partial) -> Status {
        left[std::string(key)] += number(partial);
        return {};
      };
      int at_once = 0;
      for (uint64_t i = 0; i < 40'000; ++i) {
        const std::string key = key_of(i);
        const auto value = static_cast<int64_t>(i);
        wanted[key] += value;
        const auto bytes = sdk::bytes_of(value);
        auto how = FoldTable::Folded::kNo;
        if (folded.table.may_be_frequent(key.size()))
          how = folded.table.fold_frequent(folded.context, key_hash(key), ShortKey::of(key), bytes);
        REQUIRE(how != FoldTable::Folded::kFailed);
        if (how == FoldTable::Folded::kYes)
          ++at_once;
        else
          folded.fold(i);
        if (folded.table.is_full() && i % 500 == 0) REQUIRE(folded.table.thin_out(take));
      }
      const bool has_cells = std::string(id) == "test.sum_8";
      if (has_cells && bound == uint64_t{1} << 30) CHECK(at_once > 5'000);
      // So small a table, and one of large partials, has no places for them.
      if (!has_cells || bound == uint64_t{1} << 9) CHECK(at_once == 0);
      REQUIRE(folded.table.take_all(take));
      CHECK(left == wanted);
    }
}

TEST_CASE("sums of keys are those of a map, sorted for each rank, whatever the partials' size") {
  for (const char* id : {"test.sum_8", "test.sum_40", "test.sum_4096"}) {
    for (const int ranks : {1, 3}) {
      CAPTURE(std::string(id));
      CAPTURE(ranks);
      Folded folded(id, uint64_t{1} << 30);
      Sums wanted;
      for (uint64_t i = 0; i < 20'000; ++i) {
        folded.fold(i);
        wanted[key_of(i)] += static_cast<int64_t>(i);
      }
      CHECK(folded.table.size() == wanted.size());
      folded.table.sort(ranks);
      Sums found;
      for (int rank = 0; rank < ranks; ++rank) {
        std::string before;
        for (size_t i = folded.table.sorted(rank); i < folded.table.sorted(rank + 1); ++i) {
          const Pair pair = folded.table.pair(i);
          CHECK(rank_of(key_hash(pair.key), ranks) == rank);
          if (i > folded.table.sorted(rank)) CHECK((before < pair.key));
          before = pair.key;
          CHECK(pair.value.size() == folded.combiner->bytes());
          found[before] += number(reinterpret_cast<const std::byte*>(pair.value.data()));
        }
      }
      CHECK((found == wanted));
      folded.table.clear();
      CHECK(folded.table.size() == 0);
      folded.fold(1);
      CHECK(folded.table.size() == 1);
    }
  }
}

TEST_CASE("thinned out again and again, it loses nothing, holds its bound, and keeps what comes often") {
  for (const char* id : {"test.sum_8", "test.sum_40", "test.sum_4096"}) {
    CAPTURE(std::string(id));
    HeldBytes held;
    const uint64_t bound = std::string(id) == "test.sum_4096" ? 1 << 20 : 1 << 16;
    Folded folded(id, bound, &held);
    Sums wanted, found;
    const auto take = [&](std::string_view key, const std::byte* partial) -> Status {
      found[std::string(key)] += number(partial);
      return {};
    };
    int64_t thinned = 0;
    for (uint64_t i = 0; i < 50'000; ++i) {
      // Always there, a hundred times as often as any other.
      const std::string key = i % 4 == 0 ? "often" : key_of(i);
      const auto value = static_cast<int64_t>(i);
      REQUIRE(folded.table.fold_value(folded.context, key_hash(key), key, sdk::bytes_of(value)));
      wanted[key] += value;
      if (!folded.table.is_full()) continue;
      ++thinned;
      REQUIRE(folded.table.thin_out(take));
      CHECK(folded.table.bytes() <= bound * 5 / 8);
    }
    CHECK(thinned > 3);
    CHECK(found.count("often") == 0);
    CHECK(held.most() <= static_cast<int64_t>(bound + bound / 4 + 70'000));  // and one pair's
    REQUIRE(folded.table.take_all(take));
    CHECK((found == wanted));
    CHECK(folded.table.size() == 0);
  }
}

// Bounds from which on short keys lie in cells. Keys that come in the order of another table's cells, as
// those that left one do.
TEST_CASE("cells are thinned out as well, whether they are full or other keys want their memory") {
  constexpr uint64_t kBound = uint64_t{16} << 20;
  HeldBytes held;
  Folded folded("test.sum_8", kBound, &held);
  std::unordered_map<std::string, int64_t> wanted, found;
  std::vector<std::string> left;
  const auto take = [&](std::string_view key, const std::byte* partial) -> Status {
    found[std::string(key)] += number(partial);
    left.emplace_back(key);
    return {};
  };
  const auto fold = [&](const std::string& key, int64_t value) {
    REQUIRE(folded.table.fold_value(folded.context, key_hash(key), key, sdk::bytes_of(value)));
    wanted[key] += value;
    if (!folded.table.is_full()) return false;
    REQUIRE(folded.table.thin_out(take));
    CHECK_FALSE(folded.table.is_full());
    return true;
  };
  int short_ones = 0, long_ones = 0;
  for (int64_t i = 0; i < 900'000; ++i) short_ones += fold(std::to_string(i * 1'000'003 % 700'001), i);
  for (int64_t i = 0; i < 100'000; ++i) long_ones += fold("a key that no cell holds " + std::to_string(i), i);
  CHECK(short_ones >= 2);
  CHECK(short_ones < 50);
  CHECK(long_ones >= 1);
  CHECK(long_ones < 50);
  CHECK(held.most() <= static_cast<int64_t>(kBound + kBound / 8));
  REQUIRE(folded.table.take_all(take));
  CHECK((found == wanted));
  CHECK(folded.table.size() == 0);
  // Were they to heap up, it would take hours.
  for (const std::string& key : std::vector(left)) fold(key, 1);
}

TEST_CASE("a short key's hash is that of its bytes") {
  std::string key;
  for (size_t size = 0; size <= ShortKey::kMost; ++size) {
    CHECK(key_hash(ShortKey::of(key)) == key_hash(std::string_view(key)));
    key += static_cast<char>(200 + size * 7);
  }
}

TEST_CASE("what a take says ends it") {
  Folded folded("test.sum_8", 1 << 16);
  for (uint64_t i = 0; !folded.table.is_full(); ++i) folded.fold(i);
  const auto refuse = [](std::string_view, const std::byte*) { return Status(Code::kIo, "no room"); };
  CHECK(folded.table.thin_out(refuse).message() == "no room");
  Folded other("test.sum_8", 1 << 16);
  other.fold(1);
  CHECK(other.table.take_all(refuse).message() == "no room");
}

TEST_CASE("parts give back all that was added, each key in the part of its rank") {
  for (const uint64_t memory : {uint64_t{1} << 10, uint64_t{1} << 16, uint64_t{1} << 22}) {
    for (const int ranks : {1, 2, 3, 100}) {
      CAPTURE(memory);
      CAPTURE(ranks);
      SpillFile file;
      HeldBytes held;
      SpillParts parts(ranks, 12, memory, file, &held);
      CHECK(parts.is_empty());
      CHECK(parts.count() == 0);
      std::multimap<std::string, int64_t> wanted, found;
      for (uint64_t i = 0; i < 3000; ++i) {
        const std::string key = key_of(i);
        std::byte partial[12] = {};
        std::memcpy(partial, &i, sizeof i);
        REQUIRE(parts.add(key, partial));
        wanted.emplace(key, static_cast<int64_t>(i));
      }
      CHECK_FALSE(parts.is_empty());
      REQUIRE(parts.end());
      Bytes buffer;
      for (size_t part = 0; part < parts.count(); ++part) {
        REQUIRE(parts.read(part, buffer, [&](std::string_view key, const std::byte* partial) -> Status {
          CHECK(rank_of(key_hash(key), ranks) == parts.rank_of_part(part));
          found.emplace(key, number(partial));
          return {};
        }));
      }
      // Of one key in any order.
      const auto sorted = [](const auto& pairs) {
        std::vector<std::pair<std::string, int64_t>> all(pairs.begin(), pairs.end());
        std::ranges::sort(all);
        return all;
      };
      CHECK((sorted(found) == sorted(wanted)));
    }
  }
}

}  // namespace
}  // namespace plait::inline mapreduce
