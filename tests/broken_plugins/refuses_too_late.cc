// Finds while it writes that it cannot hold two axes.
// Caught by: checked
// Words: check_arrays lets through what cannot be written
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".late"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (arrays[i].shape().size() > 1) throw Error("wanted arrays of one axis");
      out.write(arrays[i].bytes());
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.refuses_too_late", "1.0.0", "Apache-2.0", sink<Broken>("broken.refuses_too_late_sink"));
