// flip on CUDA devices: every picture of a batch, each by its own random numbers.
#include <plait/sdk.hpp>

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace {

struct Flip {
  std::string part = "image";
  double horizontal = 0.5, vertical = 0;

  static void describe(Describe<Flip>& d) {
    d.field("part", &Flip::part);
    d.field("horizontal", &Flip::horizontal);
    d.field("vertical", &Flip::vertical);
  }
  void apply_samples(Context& c, SamplesCall& call) const {
    const auto [in, out] = call.part(part);
    switch (size_of(in.dtype())) {
      case 1:
        return mirror<uint8_t>(c, call, in, out);
      case 2:
        return mirror<uint16_t>(c, call, in, out);
      case 4:
        return mirror<uint32_t>(c, call, in, out);
      default:
        return mirror<uint64_t>(c, call, in, out);
    }
  }

 private:
  template <class V>
  void mirror(Context& c, const SamplesCall& call, Tensor in, Tensor out) const {
    gpu::map(c, in.size(),
             plait::flip::Mirror<V>{static_cast<const V*>(in.raw()), static_cast<V*>(out.raw()), call.rngs(),
                                    static_cast<uint64_t>(in.shape(1)), static_cast<uint64_t>(in.shape(2)),
                                    static_cast<uint64_t>(in.shape(3)), horizontal, vertical});
  }
};

}  // namespace

PLAIT_PLUGIN("plait.flip.cuda", "1.0.0", "Apache-2.0", implementation<Flip>("plait.flip", "plait.cuda"));
