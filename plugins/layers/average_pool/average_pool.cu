// average_pool on CUDA devices: a thread an element of y, or of dx, which asks the windows that hold it.
#include "average_pool.h"

#include <plait/cuda/map.hpp>

#include "cuda_work.hpp"

using namespace plait::sdk;

namespace layers {
namespace {

struct AveragePoolOnCuda : AveragePool {
  struct Kernel;
};

struct AveragePoolOnCuda::Kernel {
  Window window;
  uint64_t batch, channels;
  bool include_padding, narrow;  // narrow: 32 bits count the elements

  Kernel(const AveragePoolOnCuda& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : window(config.window(r.input())),
        batch(static_cast<uint64_t>(r.input().shape(0))),
        channels(static_cast<uint64_t>(r.input().shape(-1))),
        include_padding(config.count_include_pad),
        narrow(gpu::fits_32_bits(window, batch, channels)) {
    n.repeats();
    n.backward_reads(Reads::nothing);
    n.accumulates();
  }

  void forward(Context& c, const LayerCall& call) const {
    with_grid([&]<class Index>(const AveragePoolGrid<Index>& grid) {
      gpu::map(c, call.output().size(),
               AveragePoolForward<Index>{grid, call.input().f32().data(), call.output().f32().data()});
    });
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    with_grid([&]<class Index>(const AveragePoolGrid<Index>& grid) {
      gpu::map(c, call.input_gradient().size(),
               AveragePoolBackward<Index>{grid, call.output_gradient().f32().data(),
                                          call.input_gradient().f32().data(), call.accumulate()});
    });
  }

 private:
  // body(grid) with an index as narrow as it may be.
  template <class Body>
  void with_grid(const Body& body) const {
    if (narrow) return body(AveragePoolGrid<uint32_t>{{window, channels}, include_padding});
    body(AveragePoolGrid<uint64_t>{{window, channels}, include_padding});
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.average_pool.cuda", "1.0.0", "Apache-2.0",
             implementation<layers::AveragePoolOnCuda>("plait.average_pool", "plait.cuda"));
