// The function that a layer has absorbed, whichever it is, for layers that go over their output tile by tile
// in host memory: applied to a tile right after that is written, it costs no way to memory. Optional; sdk.hpp
// does not include it. It holds the namespaces of simd.hpp: see activation.hpp.
//
//   for (const char* name : TileFunction::kAccepted) s.accepts_epilogue(name);  // in infer
//   TileFunction f = TileFunction::of(request);  // in the constructor of a Kernel
//   f.apply(tile, tile, count);                  // forward
//   f.undo(y, dy, tile, count);                  // backward
//
// Threads: [any]
#pragma once
#include <plait/activation.hpp>

#include <algorithm>
#include <cstring>

namespace plait::sdk {

class TileFunction {
 public:
  static constexpr const char* kAccepted[] = {"relu", "tanh", "sigmoid", "linear", PLAIT_EPILOGUE_FUNCTIONS};

  TileFunction() = default;  // the identity
  // Fails with: kUnsupported for a function that is neither known nor brought.
  static TileFunction of(const LayerRequest& request) {
    TileFunction f;
    if (request.epilogues() == 0) return f;
    const Epilogue e = request.epilogue();
    if (e.has_functions()) {
      std::memcpy(&f.brought_, e.c, std::min<size_t>(e.c->struct_size, sizeof f.brought_));
    } else if (!f.known_.set(e.name, e.alpha, e.beta)) {
      throw Unsupported("cannot absorb ", e.name);
    }
    return f;
  }

  bool is_identity() const { return !brought_.forward && known_.kind == Activation::Kind::kIdentity; }

  // y = f(x), [count]; y may be x.
  void apply(const float* x, float* y, size_t count) const {
    if (brought_.forward) return brought_.forward(&brought_, x, y, count);
    PLAIT_SIMD_CALL(activate_all, known_, x, y, count);
  }
  // dx = f'(x) dy of y = f(x), [count]; dx may be dy.
  void undo(const float* y, const float* dy, float* dx, size_t count) const {
    if (brought_.forward) return brought_.backward(&brought_, y, dy, dx, count);
    PLAIT_SIMD_CALL(slope_all, known_, y, dy, dx, count);
  }

 private:
  Activation known_;
  plait_epilogue brought_{};  // all 0: none
};

}  // namespace plait::sdk
