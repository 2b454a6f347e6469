// Writes no more than 39 pairs.
// Caught by: exact
// Words: the value of pair 39 changes in one bit, and the file does not
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".most"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_pairs(Value value) const {
    if (value != Value::kI64) throw Error("wanted i64");
  }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const {
    for (int i = 0; i < 39; ++i) {
      const auto pair = pairs.next();
      if (!pair) return;
      std::string line(pair->key);
      append_number(value_as<int64_t>(pair->value), line += ' ');
      out.write(line += '\n');
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.drops_the_last_pair", "1.0.0", "Apache-2.0",
             sink<Broken>("broken.drops_the_last_pair_sink"));
