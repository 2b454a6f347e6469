// max_pool on CUDA devices: a thread an element of y, or of dx, which asks the windows that hold it.
#include "max_pool.h"

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct MaxPoolOnCuda : MaxPool {
  struct Kernel;
};

struct MaxPoolOnCuda::Kernel {
  Window window;
  uint64_t batch, channels;
  bool narrow;  // 32 bits count the elements

  Kernel(const MaxPoolOnCuda& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : window(config.window(r.input())),
        batch(static_cast<uint64_t>(r.input().shape(0))),
        channels(static_cast<uint64_t>(r.input().shape(-1))),
        narrow(gpu::fits_32_bits(window, batch, channels)) {
    n.repeats();
    n.backward_reads(Reads::nothing);
    n.accumulates();
    if (r.training()) n.saved(Checked(outputs()) * (bytes() ? sizeof(uint8_t) : sizeof(uint32_t)));
  }

  void forward(Context& c, const LayerCall& call) const {
    bytes() ? forward_to<uint8_t>(c, call) : forward_to<uint32_t>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    bytes() ? backward_from<uint8_t>(c, call) : backward_from<uint32_t>(c, call);
  }

 private:
  uint64_t outputs() const { return Checked(batch) * window.outputs() * channels; }
  bool bytes() const { return window.taps() <= 256; }

  // body(grid) with an index as narrow as it may be.
  template <class Body>
  void with_grid(const Body& body) const {
    if (narrow) return body(gpu::WindowGrid<uint32_t>(window, channels));
    body(gpu::WindowGrid<uint64_t>(window, channels));
  }
  template <class Tap>
  void forward_to(Context& c, const LayerCall& call) const {
    Tap* const places = call.training() ? call.saved<Tap>() : nullptr;
    with_grid([&]<class Index>(const gpu::WindowGrid<Index>& grid) {
      gpu::map(
          c, outputs(),
          MaxPoolForward<Index, Tap>{grid, call.input().f32().data(), call.output().f32().data(), places});
    });
  }
  template <class Tap>
  void backward_from(Context& c, const LayerCall& call) const {
    with_grid([&]<class Index>(const gpu::WindowGrid<Index>& grid) {
      gpu::map(c, call.input_gradient().size(),
               MaxPoolBackward<Index, Tap>{grid, call.output_gradient().f32().data(), call.saved<const Tap>(),
                                           call.input_gradient().f32().data(), call.accumulate()});
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.max_pool.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::MaxPoolOnCuda>("plait.max_pool", "plait.cuda"));
