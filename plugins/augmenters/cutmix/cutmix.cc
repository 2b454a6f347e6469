// Pictures with a rectangle of another.
#include <plait/mixed_labels.hpp>
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

struct Cutmix {
  std::vector<std::string> part = {"image"};
  std::string label = "label";
  int64_t classes = 0;
  double alpha = 1, p = 1;

  static void describe(Describe<Cutmix>& d) {
    d.doc("pictures of a batch with a rectangle of another, their labels as shares of classes");
    d.details(
        "The others are the batch in another order, drawn for the batch as the rectangle is: its edges are "
        "sqrt(1 - share) of the\n"
        "picture's, share from the beta distribution of (alpha, alpha), about a middle that may be any "
        "pixel; "
        "what lies beyond the\n"
        "picture's edge is cut off. Labels' shares are those of the area that is left.\n"
        "Shapes: parts [H, W, ...] of u8 or floating point, all of the same H and W, stay as they are; the "
        "label, one whole\n"
        "number or shares already, becomes f32 [classes].\n"
        "Outside training nothing is mixed: a class number becomes its shares, 0 and 1.\n"
        "Source: Yun, Han, Oh, Chun, Choe, Yoo 2019, section 3.1.");
    d.field("part", &Cutmix::part).doc("parts that are mixed, such as a picture and its mask");
    d.field("label", &Cutmix::label).doc("part that holds the class number");
    d.field("classes", &Cutmix::classes).doc("that there are").range(2, 1 << 20).required();
    d.field("alpha", &Cutmix::alpha).doc("small: shares near 0 and 1; 1: all alike").above(0).at_most(1000);
    d.field("p", &Cutmix::p).doc("chance of a batch that it is mixed").range(0, 1);
  }
  static void examples(Examples& e) {
    e.add("classes: 4").input(DType::u8, {6, 5, 1}, "image").input(DType::u8, {}, "label").integers_below(4);
    e.add("part: [\"x\", \"mask\"] label: \"y\" classes: 3 alpha: 0.3 p: 0.7")
        .input(DType::f32, {4, 7}, "x")
        .input(DType::u8, {4, 7}, "mask")
        .input(DType::i64, {1}, "y")
        .integers_below(3);
  }

  void validate() const {
    if (part.empty()) throw Error("no part is mixed");
    for (const std::string& one : part)
      if (one == label)
        throw Error("part \"", one, "\" is the label too, which is mixed as shares of classes");
  }

  void infer(Parts& parts) const {
    const PartSpec& first = parts.part(part.front());
    for (const std::string& one : part) {
      const PartSpec& spec = parts.part(one);
      const bool whole = spec.dtype == DType::i32 || spec.dtype == DType::i64;
      if (whole || spec.variable_axis >= 0 || spec.shape.size() < 2)
        parts.fail("part \"", one, "\" is ", name_of(spec.dtype), std::span<const int64_t>(spec.shape),
                   spec.variable_axis >= 0 ? " with a variable axis" : "",
                   ", wanted u8 or floating point [H, W, ...] of a fixed shape");
      if (spec.shape[0] != first.shape[0] || spec.shape[1] != first.shape[1])
        parts.fail("part \"", one, "\" is of ", spec.shape[0], " by ", spec.shape[1], ", wanted as part \"",
                   part.front(), "\" ", first.shape[0], " by ", first.shape[1]);
    }
    infer_shares(parts, label, classes);
  }

  uint64_t workspace_bytes(Context&, int64_t batch) const { return BatchMix::workspace_bytes(batch); }

  void apply(Context&, SampleCall& call) const { write_shares(call, label, classes); }

  void apply_batch(Context& c, SampleCall& call) const {
    if (!call.training()) return;
    Random& random = call.random();
    if (random.uniform() >= p) return;
    BatchMix mix(call, label);
    const double edge = std::sqrt(1 - beta_draw(random, alpha));
    mix.shuffle(random);
    const Tensor picture = call.input(part.front());
    const Range rows = draw(random, picture.shape(1), edge), columns = draw(random, picture.shape(2), edge);
    for (const std::string& one : part) paste(c, call.part(one), mix.other(), rows, columns);
    const double area = static_cast<double>(rows.size()) * static_cast<double>(columns.size());
    const double all = static_cast<double>(picture.shape(1)) * static_cast<double>(picture.shape(2));
    mix.linear(c, call.part(label), static_cast<float>(1 - area / all));
  }

 private:
  struct Range {
    size_t begin, end;
    size_t size() const { return end - begin; }
  };
  // Of an even size the smaller half lies before the middle.
  static Range draw(Random& random, int64_t extent, double edge) {
    const auto size = static_cast<int64_t>(static_cast<double>(extent) * edge);
    const int64_t middle = random.integer(0, extent - 1), first = middle - size / 2;
    return {static_cast<size_t>(std::clamp<int64_t>(first, 0, extent)),
            static_cast<size_t>(std::clamp<int64_t>(first + size, 0, extent))};
  }

  static void paste(Context& c, const PartInOut& pictures, std::span<const uint32_t> other, const Range& rows,
                    const Range& columns) {
    const float* const in = pictures.in.f32().data();
    float* const out = pictures.out.f32().data();
    const size_t each = pictures.in.size() / other.size();
    const auto height = static_cast<size_t>(pictures.in.shape(1));
    const auto width = static_cast<size_t>(pictures.in.shape(2));
    const size_t row = each / height, pixel = row / width;
    c.parallel_for(other.size(), 16, [&](size_t n) {
      const float* const from = in + other[n] * each;
      float* const to = out + n * each;
      std::copy_n(in + n * each, each, to);
      for (size_t y = rows.begin; y < rows.end; ++y)
        std::copy_n(from + y * row + columns.begin * pixel, columns.size() * pixel,
                    to + y * row + columns.begin * pixel);
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.cutmix", "1.0.0", "Apache-2.0", augmenter<Cutmix>("plait.cutmix"));
