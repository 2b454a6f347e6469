// A source whose files nobody can guess, and that names none: every other law of it is skipped.
// Caught by: can_be_tried
// Words: nothing of it could be tried: no source opens .*give an example
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string folder = "nowhere";

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("folder", &Broken::folder).doc("where the files are").path();
  }
  void open(Context&) { throw NotFound("no file in ", folder); }
  SourceInfo info() const { return {}; }
  void read(Context&, int64_t, SampleCall&) const {}
};

}  // namespace

PLAIT_PLUGIN("broken.hides_its_files", "1.0.0", "Apache-2.0",
             source<Broken>("broken.hides_its_files_source"));
