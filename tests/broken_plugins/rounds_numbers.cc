// Writes numbers with six digits.
// Caught by: exact
// Words: element \d+ of "a" changes in its last bit, and the file does not
#include <plait/sdk.hpp>

#include <cstdio>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".six"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_arrays(const SinkArrays& arrays) const {
    if (arrays.size() != 1 || arrays[0].dtype() != DType::f64) throw Error("wanted one array of f64");
  }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    for (const double value : arrays[0].tensor().data<double>()) {
      char text[32];
      out.write(
          std::string_view(text, static_cast<size_t>(std::snprintf(text, sizeof text, "%.6g\n", value))));
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rounds_numbers", "1.0.0", "Apache-2.0", sink<Broken>("broken.rounds_numbers_sink"));
