// Sounds as pictures of what an ear hears.
#include <plait/spectrum.hpp>

using namespace plait::sdk;

namespace {

struct LogMel : MelRows<LogMel> {
  static void describe(Describe<LogMel>& d) {
    d.doc("makes a log-mel spectrogram of a sound");
    d.details(
        "A row for each window: log max(e, floor), e the energy of its spectrum below a triangle, of height "
        "1; "
        "the triangles' corners\n"
        "lie as far apart on the mel scale, 2595 log10(1 + f / 700 Hz).\n"
        "Shapes: the part f32 [samples] becomes f32 [rows, filters], rows = 1 + (samples - window) / hop, at "
        "least 1; where the\n"
        "samples vary, the rows do. Refused: a triangle between two bins of the spectrum.\n"
        "Source: Davis, Mermelstein 1980.");
    mel_fields(d);
  }
  static void examples(Examples& e) {
    e.add("window: 64 hop: 32 filters: 5 rate: 8000 high: 4000").input(DType::f32, {300}, "sound");
    e.add("window: 50 hop: 20 filters: 3 rate: 1000 high: 400").input(DType::f32, {140}, "sound", 0);
  }

  size_t columns() const { return static_cast<size_t>(filters); }
  void fill(const double* power, double*, Out row) const {
    for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(mel().log_energy(i, power, floor));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.log_mel", "1.0.0", "Apache-2.0", augmenter<LogMel>("plait.log_mel"));
