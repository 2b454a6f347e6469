// Throws in read.
// Caught by: memory
// Words: read of record 0: no more paper
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo made;
    made.count = 3;
    made.parts.add("letter", DType::i32, {});
    return made;
  }
  void read(Context&, int64_t, SampleCall&) const { throw std::runtime_error("no more paper"); }
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_read", "1.0.0", "Apache-2.0", source<Broken>("broken.throws_in_read_source"));
