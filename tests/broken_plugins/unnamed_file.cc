// Does not say which file is not there.
// Caught by: damaged_files
// Words: does not name it
#include <fstream>
#include <plait/sdk.hpp>
#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string file, text;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("file", &Broken::file).doc("what is read").path().required();
  }
  static void examples(Examples& e) {
    e.add("file: \"letters\"");
    e.prepare([] { std::ofstream("letters") << "abcdefgh"; });
  }
  void open(Context&) {
    std::ifstream in(file, std::ios::binary);
    if (!std::getline(in, text) || text.empty()) throw NotFound("cannot read a file");
  }
  SourceInfo info() const {
    SourceInfo made;
    made.count = static_cast<int64_t>(text.size());
    made.parts.add("letter", DType::i32, {});
    return made;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    call.output("letter").data<int32_t>()[0] = text[static_cast<size_t>(index)];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.unnamed_file", "1.0.0", "Apache-2.0", source<Broken>("broken.unnamed_file_source"));
