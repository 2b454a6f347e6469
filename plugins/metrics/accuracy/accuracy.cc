// Share of right answers.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

double label_at(Tensor target, size_t row) {
  switch (target.dtype()) {
    case DType::i32:
      return target.data<int32_t>()[row];
    case DType::i64:
      return static_cast<double>(target.data<int64_t>()[row]);
    case DType::u8:
      return target.data<uint8_t>()[row];
    default:
      return target.f32()[row];
  }
}

// True when the score of `label` is among the `top` highest; of equal scores the earlier class counts as
// higher.
bool is_right(std::span<const float> scores, double label, int64_t top) {
  if (!(label >= 0 && label < static_cast<double>(scores.size()))) return false;
  const auto wanted = static_cast<size_t>(label);
  const float score = scores[wanted];
  if (score != score) return false;
  int64_t higher = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    higher += scores[i] > score || (scores[i] == score && i < wanted);
  return higher < top;
}

struct Accuracy {
  int64_t top = 1;
  static constexpr MetricValue values[] = {
      {"accuracy", MetricValue::kHigher, "share of right answers, 0 to 1"}};

  static void describe(Describe<Accuracy>& d) {
    d.doc("share of samples whose right class has one of the highest scores");
    d.details(
        "Shapes: prediction [N, C] with target [N] or [N, 1]; prediction [N, ..., C] with target [N, ...]: "
        "every\n"
        "position within its sample's length is an answer. Targets: class numbers as i32, i64, u8 or f32.");
    d.field("top", &Accuracy::top).doc("how many answers a prediction may give").range(1, 1e6);
  }

  std::string suffix() const { return top == 1 ? "" : "_top" + std::to_string(top); }

  size_t state_size(Spec prediction, Spec target) const {
    if (prediction.dtype() != DType::f32 || prediction.rank() < 2) {
      throw Error("prediction is ", prediction, ", wanted f32[N, ..., classes]");
    }
    if (target.dtype() == DType::f64 || target.dtype() == DType::bf16 || target.dtype() == DType::f16) {
      throw Error("target is ", target, ", wanted class numbers as i32, i64, u8 or f32");
    }
    if (target.size() * static_cast<size_t>(prediction.shape(-1)) != prediction.size()) {
      throw Error("target is ", target, ", wanted one class number per position of prediction ", prediction);
    }
    if (top > prediction.shape(-1)) {
      throw Error("top is ", top, ", and prediction is ", prediction,
                  ": every answer would be right; wanted at most ", prediction.shape(-1));
    }
    return 2;  // right answers, all answers
  }

  void update(Context&, Tensor prediction, Tensor target, std::span<double> state) const {
    const auto classes = static_cast<size_t>(prediction.shape(-1));
    const size_t rows = prediction.size() / classes;
    const Out scores = prediction.f32();
    const Tensor lengths_of = prediction.lengths().empty() ? target : prediction;
    for (size_t row = 0; row < rows; ++row) {
      if (prediction.rank() > 2 && is_masked(lengths_of, rows, row)) continue;
      state[0] += is_right(scores.subspan(row * classes, classes), label_at(target, row), top);
      state[1] += 1;
    }
  }

  void finish(std::span<const double> state, std::span<double> results) const {
    results[0] = state[1] > 0 ? state[0] / state[1] : 0;
  }

 private:
  // Does position `row` lie behind its sample's length?
  static bool is_masked(Tensor lengths_of, size_t rows, size_t row) {
    const auto lengths = lengths_of.lengths();
    if (lengths.empty()) return false;
    const int axis = lengths_of.variable_axis() < 0 ? 1 : lengths_of.variable_axis();
    size_t after = rows;  // positions per place of the axis
    for (int i = 0; i <= axis; ++i) after /= static_cast<size_t>(lengths_of.shape(i));
    const size_t place = row / after % static_cast<size_t>(lengths_of.shape(axis));
    return place >= static_cast<size_t>(lengths[row / (rows / lengths.size())]);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.accuracy", "1.0.0", "Apache-2.0", metric<Accuracy>("plait.accuracy"));
