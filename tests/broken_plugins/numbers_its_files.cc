// Numbers the files that it has written.
// Caught by: same
// Words: the same input is written again, to other bytes
#include <plait/sdk.hpp>

#include <atomic>

namespace {
using namespace plait::sdk;

std::atomic<int> files{0};

struct Broken {
  static constexpr const char* endings[] = {".numbered"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    out.write(std::to_string(++files));
    for (size_t i = 0; i < arrays.size(); ++i) out.write(arrays[i].bytes());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.numbers_its_files", "1.0.0", "Apache-2.0",
             sink<Broken>("broken.numbers_its_files_sink"));
