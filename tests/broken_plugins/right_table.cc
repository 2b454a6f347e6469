// Right: rows of a table by whole numbers; infer says the range, or forward checks it.
// Caught by: nothing
// Words: right_table_said: combinations.*right_table_unsaid: parameter_gradient.* 0 failed
#include <algorithm>
#include <plait/sdk.hpp>
#include <vector>

namespace {
using namespace plait::sdk;

template <class T>
struct Table {
  int64_t words = 0, width = 3;
  static void describe(Describe<T>& d) {
    d.doc("a row for each number");
    d.field("words", &T::words).doc("numbers are 0 .. words - 1").range(1, 1000).required();
    d.field("width", &T::width).doc("numbers of a row").range(1, 64);
  }
  void shape(LayerShapes& s) const {
    if (s.input().dtype() != DType::i32) s.fail("input is ", s.input(), ", wanted i32[N, ...]");
    std::vector<int64_t> shape(s.input().shape().begin(), s.input().shape().end());
    shape.push_back(width);
    s.output(shape).dtype = DType::f32;
    s.weight("table", {words, width}).init("normal", 0, 0.1);
  }
  void needs(const LayerRequest&, LayerNeeds& n) const { n.backward_reads(Reads::inputs); }
  void forward(Context&, const LayerCall& call) const {
    const auto x = call.input().data<int32_t>();
    const auto w = static_cast<size_t>(width);
    for (size_t i = 0; i < x.size(); ++i)
      std::copy_n(call.parameter(0) + row(x[i]) * w, w, call.output().f32().data() + i * w);
  }
  void backward(Context&, const LayerCall& call) const {
    float* gradient = call.parameter_gradient(0);
    if (gradient == nullptr) return;
    const auto x = call.input().data<int32_t>();
    const In dy = call.output_gradient().f32();
    const auto w = static_cast<size_t>(width);
    std::fill_n(gradient, static_cast<size_t>(words) * w, 0.0f);
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t k = 0; k < w; ++k) gradient[row(x[i]) * w + k] += dy[i * w + k];
  }
  size_t row(int32_t number) const { return static_cast<const T*>(this)->checked(number); }
};
struct Said : Table<Said> {
  void infer(LayerShapes& s) const {
    shape(s);
    s.input_range(0, 0, words);
  }
  size_t checked(int32_t number) const {
    return static_cast<size_t>(number);
  }  // the host lets no others through
};
struct Unsaid : Table<Unsaid> {
  static void examples(Examples& e) { e.add("words: 11").input(DType::i32, {4, 6}).integers_below(11); }
  void infer(LayerShapes& s) const { shape(s); }
  size_t checked(int32_t number) const {
    if (number < 0 || number >= words) throw Error("number ", number, " is not in 0 .. ", words - 1);
    return static_cast<size_t>(number);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_table", "1.0.0", "Apache-2.0", layer<Said>("broken.right_table_said"),
             layer<Unsaid>("broken.right_table_unsaid"));
