// For fits_test.py: an augmenter that learns mean and deviation of each pixel from the training records.
#include <plait/sdk.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

using namespace plait::sdk;

namespace {

class Spread {
 public:
  int64_t refuse = -1, wait_ms = 0;
  std::string started;
  bool leaves = false;

  static void describe(Describe<Spread>& d) {
    d.doc("(x - mean) / deviation of each element, of the training data");
    d.field("refuse", &Spread::refuse).doc("the sum of elements of a record that is refused; -1: of none");
    d.field("wait_ms", &Spread::wait_ms).doc("time that it looks at each record");
    d.field("started", &Spread::started).doc("made when it looks at the first record");
    d.field("leaves", &Spread::leaves).doc("ends the whole program there, as if all was well");
  }
  void infer(Parts& parts) const { parts.part("image").dtype = DType::f32; }
  size_t fit_size(const Parts& parts) const { return 1 + 2 * count(parts); }
  void fit_observe(Context&, SampleCall& call, std::span<double> state) const {
    const Tensor image = call.input("image");
    if (!started.empty()) std::ofstream(started) << "yes";
    if (leaves) std::exit(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    const size_t n = image.size();
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      const double value = at(image, i);
      sum += value;
      state[1 + i] += value;
      state[1 + n + i] += value * value;
    }
    state[0] += 1;
    if (refuse >= 0 && sum == static_cast<double>(refuse)) throw Error("asked to refuse it");
  }
  void open(Context& c, const Parts& parts) {
    const auto fit = c.fit();
    const size_t n = count(parts);
    if (fit.size() != 1 + 2 * n) throw Error("there was no pass over the data");
    for (size_t i = 0; i < n; ++i) {
      const double mean = fit[1 + i] / fit[0];
      means_.push_back(mean);
      factors_.push_back(1 / std::sqrt(std::max(1e-4, fit[1 + n + i] / fit[0] - mean * mean)));
    }
  }
  void apply(Context&, SampleCall& call) const {
    const auto [from, to] = call.part("image");
    for (size_t i = 0; i < means_.size(); ++i)
      to.f32()[i] = static_cast<float>((at(from, i) - means_[i]) * factors_[i]);
  }

 private:
  static size_t count(const Parts& parts) { return elements(parts.part("image").shape); }
  static double at(const Tensor& image, size_t i) {
    if (image.dtype() == DType::u8) return image.data<uint8_t>()[i];
    return static_cast<double>(image.f32()[i]);
  }
  std::vector<double> means_, factors_;
};

}  // namespace

PLAIT_PLUGIN("test.spread", "1.0.0", "Apache-2.0", augmenter<Spread>("test.spread"));
