// Right, but no guess finds its fields or its shapes: the types give examples in the SDK's words.
// Caught by: nothing
// Words: input_gradient: \d+ derivatives in 2 cases.*out_of_range: 2 configurations.* 0 failed
#include <fstream>
#include <plait/sdk.hpp>
#include <string>

namespace {
using namespace plait::sdk;

// A row of the wrong width is refused, and so are all the usual ones.
struct Rare {
  std::string word;
  static void describe(Describe<Rare>& d) {
    d.doc("3 x, of 31 channels");
    d.field("word", &Rare::word).doc("has to be open").required();
  }
  static void examples(Examples& e) {
    e.add("word: \"open\"").input(DType::f32, {3, 31}).input(DType::i32, {3, 2}).integers_below(5);
  }
  void validate() const {
    if (word != "open") throw Error("the word is not \"", word, "\"");
  }
  static constexpr uint32_t min_inputs = 2, max_inputs = 2;
  void infer(LayerShapes& s) const {
    if (s.input(0).dtype() != DType::f32 || s.input(0).rank() != 2 || s.input(0).shape(1) != 31)
      s.fail("wanted f32 of 31 channels");
    if (s.input(1).dtype() != DType::i32) s.fail("wanted integers");
    s.output_like(0);
  }
  void forward(Context&, const LayerCall& call) const {
    for (size_t i = 0; i < call.input().f32().size(); ++i) call.output().f32()[i] = 3 * call.input().f32()[i];
  }
  void backward(Context&, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    for (size_t i = 0; i < call.output_gradient().f32().size(); ++i)
      call.input_gradient().f32()[i] = 3 * call.output_gradient().f32()[i];
  }
};

struct Lines {
  std::string file, text;
  static void describe(Describe<Lines>& d) {
    d.doc("letters of a file");
    d.field("file", &Lines::file).doc("what is read").path().required();
  }
  static void examples(Examples& e) {
    e.add("file: \"letters\"");
    e.add("file: \"more\"");
    e.prepare([] { std::ofstream("letters") << "abcdefgh\n"; });
    e.prepare([] { std::ofstream("more") << "ijklmnop\n"; });
  }
  void open(Context&) {
    std::ifstream in(file);
    if (!in) throw NotFound("cannot read \"", file, "\"");
    if (!std::getline(in, text) || text.empty()) throw CorruptFile("\"", file, "\" has no letters");
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

PLAIT_PLUGIN("broken.right_examples", "1.0.0", "Apache-2.0", layer<Rare>("broken.right_examples_layer"),
             source<Lines>("broken.right_examples_source"));
