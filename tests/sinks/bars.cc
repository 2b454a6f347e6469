// For sinks_test.py: tables with bars. It claims an ending of its own, and .csv, which a shipped sink has.
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

#include <string>
#include <string_view>

using namespace plait::sdk;

namespace {

void append_escaped(std::string_view bytes, std::string& to) {
  for (const char c : bytes) {
    if (c == '|' || c == '\\' || c == '\n') to += '\\';
    to += c == '\n' ? 'n' : c;
  }
}

struct Bars {
  static constexpr const char* endings[] = {".bars", ".csv"};
  static constexpr bool table = true;
  int64_t fail_after = -1;

  static void describe(Describe<Bars>& d) {
    d.doc("a table with bars");
    d.field("fail_after", &Bars::fail_after)
        .doc("pairs after which it fails; -1: it does not")
        .range(-1, 1e9);
  }
  void check_arrays(const SinkArrays& arrays) const { check_table(arrays); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    write_table(arrays, {'|', &append_escaped}, out);
  }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const {
    for (int64_t i = 0; fail_after >= 0 && i < fail_after; ++i)
      if (!pairs.next()) return;
    if (fail_after >= 0) throw Error("was asked to fail after ", fail_after);
    write_table(pairs, {'|', &append_escaped}, out);
  }
};

}  // namespace

PLAIT_PLUGIN("acme.bars_sink", "1.0.0", "Apache-2.0", sink<Bars>("acme.bars"));
