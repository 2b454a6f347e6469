#include "mapreduce/prefix_sort.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "mapreduce/pair.h"

namespace plait::inline mapreduce {
namespace {

// Sorts by prefixes with the keys' places behind them; gives the keys in their order.
std::vector<std::string> sorted(const std::vector<std::string>& keys) {
  std::vector<KeyPlace> places;
  for (size_t i = 0; i < keys.size(); ++i) places.push_back({prefix_of(keys[i]), i});
  sort_by_prefix(std::span(places),
                 [&](const KeyPlace& a, const KeyPlace& b) { return keys[a.place] < keys[b.place]; });
  std::vector<std::string> result;
  for (const KeyPlace& one : places) result.push_back(keys[one.place]);
  return result;
}

TEST_CASE("sorts as strings are sorted: few and many, of few and many letters, long beginnings in common") {
  uint64_t drawn = 1;
  const auto next = [&drawn](uint64_t below) {
    drawn = pair::multiplied(drawn + 1, pair::kFirst);
    return drawn % below;
  };
  for (const size_t count : {0, 1, 2, 63, 64, 65, 300, 20'000})
    for (const uint64_t letters : {1, 2, 26, 256})
      for (const size_t common : {0, 1, 7, 8, 30}) {
        std::vector<std::string> keys;
        for (size_t i = 0; i < count; ++i) {
          std::string key(common, '\xFE');
          for (uint64_t left = next(12); left > 0; --left) key += static_cast<char>(next(letters));
          keys.push_back(std::move(key));
        }
        auto wanted = keys;
        std::sort(wanted.begin(), wanted.end());
        CAPTURE(count);
        CAPTURE(letters);
        CAPTURE(common);
        CHECK((sorted(keys) == wanted));
        CHECK((sorted(wanted) == wanted));
      }
}

}  // namespace
}  // namespace plait::inline mapreduce
