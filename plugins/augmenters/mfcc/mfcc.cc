// Sounds as few numbers for each window.
#include <plait/spectrum.hpp>

#include <vector>

using namespace plait::sdk;

namespace {

struct Mfcc : MelRows<Mfcc> {
  int64_t coefficients = 13;

  static void describe(Describe<Mfcc>& d) {
    d.doc("makes mel-frequency cepstral coefficients of a sound");
    d.details(
        "A row for each window: the first coefficients of the orthonormal cosine transform (II) of its "
        "log-mel "
        "energies (log_mel):\n"
        "c(k) = s(k) sum_i log(e_i) cos(pi k (i + 1/2) / filters), s(0) = sqrt(1 / filters), else sqrt(2 / "
        "filters).\n"
        "Shapes: the part f32 [samples] becomes f32 [rows, coefficients], rows = 1 + (samples - window) / "
        "hop, "
        "at least 1; where\n"
        "the samples vary, the rows do. Refused: more coefficients than filters; a triangle between two "
        "bins.\n"
        "Source: Davis, Mermelstein 1980.");
    mel_fields(d);
    d.field("coefficients", &Mfcc::coefficients).doc("of a row, the constant one first").range(1, 1024);
  }
  static void examples(Examples& e) {
    e.add("window: 64 hop: 32 filters: 6 coefficients: 4 rate: 8000 high: 4000")
        .input(DType::f32, {300}, "sound");
    e.add("window: 50 hop: 20 filters: 3 coefficients: 3 rate: 1000 high: 400")
        .input(DType::f32, {140}, "sound", 0);
  }
  void validate() const {
    MelRows::validate();
    if (coefficients > filters)
      throw Error("coefficients is ", coefficients, ", more than the ", filters, " filters");
  }

  void open(Context& c) {
    MelRows::open(c);
    const auto count = static_cast<double>(filters);
    for (int64_t k = 0; k < coefficients; ++k)
      for (int64_t i = 0; i < filters; ++i)
        cosines_.push_back(
            std::sqrt((k == 0 ? 1 : 2) / count) *
            steady::cos_of_any_half_turns(static_cast<double>(k) * (static_cast<double>(i) + 0.5) / count));
  }
  size_t spare() const { return static_cast<size_t>(filters); }
  size_t columns() const { return static_cast<size_t>(coefficients); }
  void fill(const double* power, double* logs, Out row) const {
    const size_t count = mel().count();
    for (size_t i = 0; i < count; ++i) logs[i] = mel().log_energy(i, power, floor);
    for (size_t k = 0; k < row.size(); ++k) {
      double sum = 0;
      for (size_t i = 0; i < count; ++i) sum += cosines_[k * count + i] * logs[i];
      row[k] = static_cast<float>(sum);
    }
  }

 private:
  std::vector<double> cosines_;  // [coefficients, filters]
};

}  // namespace

PLAIT_PLUGIN("plait.mfcc", "1.0.0", "Apache-2.0", augmenter<Mfcc>("plait.mfcc"));
