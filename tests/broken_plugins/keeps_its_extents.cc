// The field of extents changes nothing.
// Caught by: named_files
// Words: asks for extents \[1, 2, 1\], and the part is named_by_the_host \[2\] f32
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>

#include <fstream>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string file, part = "image";
  std::vector<int64_t> shape;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("file", &Broken::file).doc("a file").path().required();
    d.field("part", &Broken::part).doc("name of the part");
    d.field("shape", &Broken::shape).doc("extents");
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
constexpr GivenFiles kFiles = {.endings = kEndings, .file = "file", .part = "part", .shape = "shape"};

}  // namespace

PLAIT_PLUGIN("broken.keeps_its_extents", "1.0.0", "Apache-2.0",
             opens_files<kFiles>(source<Broken>("broken.keeps_its_extents_source")));
