// Sounds as pictures of their frequencies.
#include <plait/spectrum.hpp>

using namespace plait::sdk;

namespace {

enum class Of { power, magnitude };

struct Spectrogram : SoundRows<Spectrogram> {
  Of of = Of::power;

  static void describe(Describe<Spectrogram>& d) {
    d.doc("makes a spectrogram of a sound");
    d.details(
        "A row for each window: |sum_n w(n) x(n) e^(-2 pi i k n / size)|^2, or its root; w is a Hann window, "
        "size the next power of two.\n"
        "Shapes: the part f32 [samples] becomes f32 [rows, size / 2 + 1], rows = 1 + (samples - window) / "
        "hop, "
        "at least 1; where the\n"
        "samples vary, the rows do. Column k is of the frequency k rate / size.");
    window_fields(d);
    d.field("of", &Spectrogram::of).doc("what is told of each frequency").choices({"power", "magnitude"});
  }
  static void examples(Examples& e) {
    e.add("window: 16 hop: 8").input(DType::f32, {60}, "sound");
    e.add("window: 10 hop: 3 of: magnitude").input(DType::f32, {40}, "sound", 0);
  }

  size_t columns() const { return bins_of(window); }
  void fill(const double* power, double*, Out row) const {
    for (size_t k = 0; k < row.size(); ++k)
      row[k] = static_cast<float>(of == Of::power ? power[k] : std::sqrt(power[k]));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.spectrogram", "1.0.0", "Apache-2.0", augmenter<Spectrogram>("plait.spectrogram"));
