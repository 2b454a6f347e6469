// Tables with commas.
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

#include <string>
#include <string_view>

using namespace plait::sdk;

namespace {

void append_quoted(std::string_view bytes, std::string& to) {
  if (bytes.find_first_of(",\"\r\n") == std::string_view::npos) return void(to += bytes);
  to += '"';
  for (const char c : bytes) {
    if (c == '"') to += '"';
    to += c;
  }
  to += '"';
}

struct Csv {
  static constexpr const char* endings[] = {".csv"};
  static constexpr bool table = true;
  bool utf8 = false;

  static void describe(Describe<Csv>& d) {
    d.doc("a table with commas: arrays as columns under their names, or keys and values");
    d.details(
        "Arrays: a heading, then a line for each place of the first axis; an array of one axis is a column "
        "of "
        "its name, one of\n"
        "two axes the columns NAME_0, NAME_1, ..., or their own names. Refused: three axes, numbers of 16 "
        "bits, "
        "arrays of\n"
        "different lengths.\n"
        "Pairs: the heading key,value, then a line for each.\n"
        "Numbers are written so that reading gives the same bits; fields are in quotes where they need "
        "them.\n"
        "Source: RFC 4180; lines end with \\n.");
    d.field("utf8", &Csv::utf8).doc("refuse text that is not UTF-8; else bytes are written as they are");
  }

  void check_arrays(const SinkArrays& arrays) const { check_table(arrays); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    write_table(arrays, text(), out);
  }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const {
    out.write("key,value\n");
    write_table(pairs, text(), out);
  }

 private:
  TableText text() const { return {',', &append_quoted, utf8}; }
};

}  // namespace

PLAIT_PLUGIN("plait.csv_sink", "1.0.0", "Apache-2.0", sink<Csv>("plait.csv"));
