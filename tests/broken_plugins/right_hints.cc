// Right, but no guess finds its file: it gives an example, and writes the file.
// Caught by: nothing
// Words: passed .*right_hints_source: out_of_range: 1 configurations.* 0 failed
// Alone: it writes its entry itself
#include <plait/verify.h>
#include <fstream>
#include <plait/sdk.hpp>
#include <string>

namespace {
using namespace plait::sdk;

struct Lines {
  std::string file;
  std::string text;

  static void describe(Describe<Lines>& d) {
    d.doc("letters of a file");
    d.field("file", &Lines::file).doc("what is read").path().required();
  }
  void open(Context&) {
    std::ifstream in(file);
    if (!std::getline(in, text)) throw NotFound("cannot read \"", file, "\"");
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

const plait_verify_example example = {sizeof(plait_verify_example),
                                      0,
                                      "broken.right_hints_source",
                                      "file: \"letters\"",
                                      0,
                                      0,
                                      nullptr,
                                      nullptr,
                                      0,
                                      0,
                                      nullptr};
const plait_verify_example* const examples[] = {&example};

int prepare() {
  std::ofstream out("letters");
  out << "abcdefgh\n";
  return out.good() ? 0 : 1;
}

const plait_verify_hints hints = {sizeof(plait_verify_hints), 1, examples, &prepare};

const void* extension(const char* name) {
  return std::string(name) == PLAIT_EXTENSION_VERIFY ? &hints : nullptr;
}

const plait_plugin* table() {
  static const PluginTable made("broken.right_hints", "1.0.0", "Apache-2.0",
                                source<Lines>("broken.right_hints_source"));
  static plait_plugin changed = *made.c();
  changed.get_extension = &extension;
  return &changed;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  return table();
}
