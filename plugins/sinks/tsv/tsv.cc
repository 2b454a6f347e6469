// Tables with tabs.
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

#include <string>
#include <string_view>

using namespace plait::sdk;

namespace {

void append_escaped(std::string_view bytes, std::string& to) {
  for (const char c : bytes) {
    if (c == '\t')
      to += "\\t";
    else if (c == '\n')
      to += "\\n";
    else if (c == '\r')
      to += "\\r";
    else if (c == '\\')
      to += "\\\\";
    else
      to += c;
  }
}

struct Tsv {
  static constexpr const char* endings[] = {".tsv"};
  static constexpr bool table = true;
  bool utf8 = false;

  static void describe(Describe<Tsv>& d) {
    d.doc("a table with tabs: arrays as columns under their names, or keys and values");
    d.details(
        "Arrays: a heading, then a line for each place of the first axis; an array of one axis is a column "
        "of "
        "its name, one of\n"
        "two axes the columns NAME_0, NAME_1, ..., or their own names. Refused: three axes, numbers of 16 "
        "bits, "
        "arrays of\n"
        "different lengths.\n"
        "Pairs: a line for each, without a heading.\n"
        "Numbers are written so that reading gives the same bits; a tab, a line's end and a backslash in "
        "text "
        "are written as\n"
        "\\t, \\n, \\r and \\\\.");
    d.field("utf8", &Tsv::utf8).doc("refuse text that is not UTF-8; else bytes are written as they are");
  }

  void check_arrays(const SinkArrays& arrays) const { check_table(arrays); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    write_table(arrays, text(), out);
  }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const { write_table(pairs, text(), out); }

 private:
  TableText text() const { return {'\t', &append_escaped, utf8}; }
};

}  // namespace

PLAIT_PLUGIN("plait.tsv_sink", "1.0.0", "Apache-2.0", sink<Tsv>("plait.tsv"));
