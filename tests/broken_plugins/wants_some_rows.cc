// Lets rows through that are not counted yet, and refuses none.
// Caught by: uncounted
// Words: let through before their number is known, and refused with 0
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".some"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_arrays(const SinkArrays& arrays) const {
    for (size_t i = 0; i < arrays.size(); ++i)
      if (!arrays[i].shape().empty() && arrays[i].shape()[0] == 0) throw Error("wanted some rows");
  }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    for (size_t i = 0; i < arrays.size(); ++i) out.write(arrays[i].bytes());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.wants_some_rows", "1.0.0", "Apache-2.0", sink<Broken>("broken.wants_some_rows_sink"));
