// Parts fields by commas, also those that hold some.
// Caught by: apart
// Words: become the same file
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

namespace {
using namespace plait::sdk;

void plain(std::string_view bytes, std::string& to) { to += bytes; }

struct Broken {
  static constexpr const char* endings[] = {".commas"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const { write_table(pairs, {',', &plain}, out); }
};

}  // namespace

PLAIT_PLUGIN("broken.parts_by_commas", "1.0.0", "Apache-2.0", sink<Broken>("broken.parts_by_commas_sink"));
