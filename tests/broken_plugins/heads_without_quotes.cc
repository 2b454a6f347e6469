// Writes the names of columns as they are.
// Caught by: apart
// Words: columns .* and .* become the same file
#include <plait/sdk.hpp>
#include <plait/table_text.hpp>

namespace {
using namespace plait::sdk;

void plain(std::string_view bytes, std::string& to) { to += bytes; }

struct Broken {
  static constexpr const char* endings[] = {".commas"};
  static constexpr bool table = true;
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_arrays(const SinkArrays& arrays) const { check_table(arrays); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    write_table(arrays, {',', &plain}, out);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.heads_without_quotes", "1.0.0", "Apache-2.0",
             sink<Broken>("broken.heads_without_quotes_sink"));
