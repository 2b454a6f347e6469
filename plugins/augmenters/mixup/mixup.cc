// Samples between samples, with labels between labels.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

// The logarithm of a draw from the gamma distribution of this shape, which may be far below what a number
// holds. Source: Marsaglia, Tsang 2000; for shapes below 1 its section 6.
double log_gamma_draw(Random& random, double shape) {
  const double boost = shape < 1 ? std::log(random.uniform() + 0x1p-33) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3), u = random.uniform() + 0x1p-33;
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return boost + std::log(d * v);
  }
}

// Of the beta distribution of twice this parameter, in [0, 1].
double beta_draw(Random& random, double alpha) {
  const double a = log_gamma_draw(random, alpha), b = log_gamma_draw(random, alpha);
  return 1 / (1 + std::exp(b - a));
}

struct Mixup {
  std::vector<std::string> part = {"image"};
  std::string label = "label";
  int64_t classes = 0;
  double alpha = 0.2;

  static void describe(Describe<Mixup>& d) {
    d.doc("samples of a batch mixed in pairs, their labels as shares of classes");
    d.details(
        "x = share x + (1 - share) x', of the parts and of the label's shares alike; x' is the batch in "
        "another "
        "order, drawn\n"
        "for the batch as share is: from the beta distribution of (alpha, alpha).\n"
        "Shapes: parts of numbers without a variable axis stay as they are; the label, one whole number, "
        "becomes "
        "f32 [classes].\n"
        "Outside training nothing is mixed: a class number becomes its shares, 0 and 1.\n"
        "Source: Zhang, Cisse, Dauphin, Lopez-Paz 2018, section 2.");
    d.field("part", &Mixup::part).doc("parts that are mixed");
    d.field("label", &Mixup::label).doc("part that holds the class number");
    d.field("classes", &Mixup::classes).doc("that there are").range(2, 1 << 20).required();
    d.field("alpha", &Mixup::alpha).doc("small: shares near 0 and 1; 1: all alike").above(0).at_most(1000);
  }
  static void examples(Examples& e) {
    e.add("classes: 4").input(DType::u8, {2, 3, 1}, "image").input(DType::u8, {}, "label").integers_below(4);
    e.add("part: \"x\" label: \"y\" classes: 3 alpha: 1")
        .input(DType::f32, {5}, "x")
        .input(DType::i64, {1}, "y")
        .integers_below(3);
  }

  void validate() const {
    for (const std::string& one : part)
      if (one == label)
        throw Error("part \"", one, "\" is the label too, which is mixed as shares of classes");
  }

  void infer(Parts& parts) const {
    for (const std::string& one : part) {
      const PartSpec& spec = parts.part(one);
      const bool whole = spec.dtype == DType::i32 || spec.dtype == DType::i64;
      if (whole || spec.variable_axis >= 0)
        parts.fail("part \"", one, "\" is ", name_of(spec.dtype), std::span<const int64_t>(spec.shape),
                   spec.variable_axis >= 0 ? " with a variable axis" : "",
                   ", wanted u8 or floating point of a fixed shape");
    }
    PartSpec& shares = parts.part(label);
    const bool one = shares.shape.empty() || (shares.shape.size() == 1 && shares.shape[0] == 1);
    const bool whole = shares.dtype == DType::u8 || shares.dtype == DType::i32 || shares.dtype == DType::i64;
    if (!one || !whole)
      parts.fail("part \"", label, "\" is ", name_of(shares.dtype), std::span<const int64_t>(shares.shape),
                 ", wanted one class number, u8, i32 or i64");
    shares.dtype = DType::f32;
    shares.shape = {classes};
  }

  // The other order of the batch.
  uint64_t workspace_bytes(Context&, int64_t batch) const {
    return static_cast<uint64_t>(batch) * sizeof(uint32_t);
  }

  void apply(Context&, SampleCall& call) const {
    const int64_t number = class_number(call.input(label));
    if (number < 0 || number >= classes)
      throw Error("part \"", label, "\" is class ", number, ", wanted 0 .. ", classes - 1);
    const auto shares = call.output(label).f32();
    std::fill(shares.begin(), shares.end(), 0.0f);
    shares[static_cast<size_t>(number)] = 1;
  }

  void apply_batch(Context& c, SampleCall& call) const {
    if (!call.training()) return;
    const auto samples = static_cast<size_t>(call.input(label).shape(0));
    const std::span<uint32_t> other(call.workspace<uint32_t>(), samples);
    std::iota(other.begin(), other.end(), 0u);
    const auto share = static_cast<float>(beta_draw(call.random(), alpha));
    call.random().shuffle(other);
    for (const std::string& one : part) mix(c, call.part(one), other, share);
    mix(c, call.part(label), other, share);
  }

 private:
  static int64_t class_number(const Tensor& of) {
    switch (of.dtype()) {
      case DType::u8:
        return of.data<uint8_t>()[0];
      case DType::i32:
        return of.data<int32_t>()[0];
      default:
        return of.data<int64_t>()[0];
    }
  }

  static void mix(Context& c, const PartInOut& part, std::span<const uint32_t> other, float share) {
    const float* const in = part.in.f32().data();
    float* const out = part.out.f32().data();
    const size_t each = part.in.size() / other.size();
    c.parallel_for(other.size(), 16, [&](size_t n) {
      const float *const x = in + n * each, *const y = in + other[n] * each;
      for (size_t i = 0; i < each; ++i) out[n * each + i] = share * x[i] + (1 - share) * y[i];
    });
  }
};

}  // namespace

PLAIT_PLUGIN("plait.mixup", "1.0.0", "Apache-2.0", augmenter<Mixup>("plait.mixup"));
