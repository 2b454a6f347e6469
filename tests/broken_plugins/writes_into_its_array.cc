// Turns the array that it is given into text in place.
// Caught by: same
// Words: writes the array
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".place"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void check_arrays(const SinkArrays& arrays) const {
    if (arrays.size() != 1 || arrays[0].dtype() != DType::u8) throw Error("wanted one array of u8");
  }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    for (uint8_t& value : arrays[0].tensor().data<uint8_t>()) value ^= 0x55;
    out.write(arrays[0].bytes());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.writes_into_its_array", "1.0.0", "Apache-2.0",
             sink<Broken>("broken.writes_into_its_array_sink"));
