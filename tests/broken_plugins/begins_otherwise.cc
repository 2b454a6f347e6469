// Files of its ending do not begin as its rules say: a pipe of one would be taken for something else.
// Caught by: named_files
// Words: does not begin with the magic of the rules
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>

#include <fstream>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string file, part = "image";

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("file", &Broken::file).doc("a file").path().required();
    d.field("part", &Broken::part).doc("name of the part");
  }
  static void examples(Examples& e) {
    e.add("file: \"a.broken\"");
    e.prepare([] { std::ofstream("a.broken") << "four"; });
  }
  void open(Context&) {
    if (!std::ifstream(file)) throw NotFound(file, " is not there");
  }
  SourceInfo info() const {
    SourceInfo made;
    made.count = 4;
    made.parts.add(part, DType::f32, {2});
    return made;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    for (float& v : call.output(part).f32()) v = static_cast<float>(index);
  }
};

constexpr const char* kEndings[] = {".broken"};
constexpr GivenFiles kFiles = {.endings = kEndings, .magic = "FIVE", .file = "file", .part = "part"};

}  // namespace

PLAIT_PLUGIN("broken.begins_otherwise", "1.0.0", "Apache-2.0",
             opens_files<kFiles>(source<Broken>("broken.begins_otherwise_source")));
