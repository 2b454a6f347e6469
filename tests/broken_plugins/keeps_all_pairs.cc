// Has all pairs in memory before it writes the first.
// Caught by: memory
// Words: holds \d+ MiB while it writes
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

#include <utility>
#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".kept"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_pairs(Value value) const {
    if (value != Value::kI64) throw Error("wanted i64");
  }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const {
    std::vector<std::pair<std::string, int64_t>> all;
    while (const auto pair = pairs.next()) all.emplace_back(pair->key, value_as<int64_t>(pair->value));
    for (const auto& [key, value] : all) {
      std::string line = key + ' ';
      append_number(value, line);
      out.write(line += '\n');
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.keeps_all_pairs", "1.0.0", "Apache-2.0", sink<Broken>("broken.keeps_all_pairs_sink"));
