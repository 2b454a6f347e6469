// Joins inputs along one axis.
#include "concat.h"

#include <plait/onednn_joining.hpp>

#include <cstring>
#include <optional>

using namespace plait::sdk;

namespace layers {
namespace {

struct ConcatOnHost : Concat {
  struct Kernel;
};

struct ConcatOnHost::Kernel {
  const Concat& config;
  std::optional<OneDnnJoining> onednn;  // the forward pass

  Kernel(const ConcatOnHost& made, Context& c, const LayerRequest& r, LayerNeeds& n) : config(made) {
    n.backward_reads(Reads::nothing);
    const KernelNotes notes(c);
    if (made.implementation == Implementation::kAuto) notes.chose("implementation", "own");
    if (made.implementation != Implementation::kOneDnn || r.output().size() == 0) return;
    onednn.emplace(OneDnnJoining::concat(r, made.place_of(r.input())));
    n.workspace(onednn->scratchpad_bytes());
    onednn->note(notes);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (onednn) return onednn->forward(call);
    const size_t whole = config.run(call.output());
    size_t at = 0;
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = config.run(call.input(i));
      const float* x = call.input(i).f32().data();
      float* y = call.output().f32().data() + at;
      copy_rows(c, x, part, y, whole, part, call.input(i).size());
      at += part;
    }
  }

  void backward(Context& c, const LayerCall& call) const {
    const size_t whole = config.run(call.output_gradient());
    size_t at = 0;
    for (size_t i = 0; i < call.inputs(); ++i) {
      const size_t part = config.run(call.input(i));
      if (call.input_gradient(i)) {
        const float* dy = call.output_gradient().f32().data() + at;
        copy_rows(c, dy, whole, call.input_gradient(i).f32().data(), part, part, call.input(i).size());
      }
      at += part;
    }
  }

 private:
  static void copy_rows(Context& c, const float* from, size_t from_stride, float* to, size_t to_stride,
                        size_t run, size_t count) {
    if (run == 0) return;
    c.parallel_for(count / run, 1 + Context::kDefaultGrain / run, [&](size_t row) {
      std::memcpy(to + row * to_stride, from + row * from_stride, run * sizeof(float));
    });
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.concat", "1.0.0", "Apache-2.0", layer<layers::ConcatOnHost>("plait.concat"),
             numerics(&onednn_facts));
