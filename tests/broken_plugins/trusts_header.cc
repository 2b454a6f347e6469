// Believes what the file says of its own length.
// Caught by: damaged_files
// Words: crashes .*open and read where
#include <cstring>
#include <fstream>
#include <iterator>
#include <plait/sdk.hpp>
#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  std::string file, text;
  int32_t count = 0;

  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("file", &Broken::file).doc("what is read").path().required();
  }
  static void examples(Examples& e) {
    e.add("file: \"records\"");
    e.prepare([] { std::ofstream("records") << std::string("\x08\0\0\0ABCDEFGH", 12); });
  }
  void open(Context&) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw NotFound("cannot read \"", file, "\"");
    text.assign(std::istreambuf_iterator<char>(in), {});
    if (text.size() < 5) throw CorruptFile("\"", file, "\" is too short");
    std::memcpy(&count, text.data(), 4);
    if (count < 1) throw CorruptFile("\"", file, "\" has no records");
  }
  SourceInfo info() const {
    SourceInfo made;
    made.count = count;
    made.parts.add("letter", DType::i32, {});
    return made;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    call.output("letter").data<int32_t>()[0] = text.data()[4 + index];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.trusts_header", "1.0.0", "Apache-2.0", source<Broken>("broken.trusts_header_source"));
