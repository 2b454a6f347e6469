// Inverted dropout. Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014.
#include "dropout.h"

#include <plait/bf16.hpp>

#include <algorithm>
#include <cstring>

using namespace plait::sdk;

namespace layers {

struct Dropout::Kernel {
  double rate;
  float factor;
  bool frozen;  // part of a network that is as it is in evaluation

  Kernel(const Dropout& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : rate(config.rate),
        factor(config.rescale ? static_cast<float>(1 / (1 - config.rate)) : 1.0f),
        frozen(r.parameters_frozen()) {
    n.backward_reads(Reads::nothing);
    if (r.training() && !frozen) n.saved((r.input().size() + 7) / 8);
  }

  void forward(Context& c, const LayerCall& call) const {
    call.input().dtype() == DType::bf16 ? forward_of<uint16_t>(c, call) : forward_of<float>(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    if (!call.input_gradient()) return;
    call.input_gradient().dtype() == DType::bf16 ? backward_of<uint16_t>(c, call)
                                                 : backward_of<float>(c, call);
  }

 private:
  template <class T>
  void forward_of(Context& c, const LayerCall& call) const {
    const T* x = call.input().data<T>().data();
    T* y = call.output().data<T>().data();
    if (!call.training() || frozen) {
      if (x != y) std::memcpy(y, x, call.input().bytes());
      return;
    }
    auto* kept = call.saved<uint8_t>();
    const Random random = call.random();
    const size_t count = call.input().size();
    const auto limit = static_cast<uint64_t>(rate * 0x1p32);
    c.parallel_for((count + 7) / 8, Context::kDefaultGrain / 8, [&](size_t i) {
      const uint8_t mask = bits(random, i, limit);
      kept[i] = mask;
      scale(x, y, mask, 8 * i, count);
    });
  }

  template <class T>
  void backward_of(Context& c, const LayerCall& call) const {
    const T* dy = call.output_gradient().data<T>().data();
    T* dx = call.input_gradient().data<T>().data();
    const auto* kept = call.saved<uint8_t>();
    const size_t count = call.output_gradient().size();
    if (frozen) {
      if (dx != dy) std::memcpy(dx, dy, count * sizeof(T));
      return;
    }
    c.parallel_for((count + 7) / 8, Context::kDefaultGrain / 8,
                   [&](size_t i) { scale(dy, dx, kept[i], 8 * i, count); });
  }

  // Of elements 8 i .. 8 i + 7: which are kept.
  static uint8_t bits(const Random& random, size_t i, uint64_t limit) {
    unsigned result = 0;
    for (size_t half = 0; half < 2; ++half) {
      const PhiloxBlock words = random.block(2 * i + half);
      for (size_t j = 0; j < 4; ++j) result |= (words[j] >= limit ? 1u : 0u) << (4 * half + j);
    }
    return static_cast<uint8_t>(result);
  }
  template <class T>
  void scale(const T* from, T* to, unsigned kept, size_t at, size_t count) const {
    const size_t end = std::min(at + 8, count);
    for (size_t i = at; i < end; ++i, kept >>= 1) to[i] = kept & 1u ? scaled(from[i]) : T{};
  }
  float scaled(float x) const { return x * factor; }
  uint16_t scaled(uint16_t x) const { return bf16_of_f32(f32_of_bf16(x) * factor); }
};

}  // namespace layers

PLAIT_PLUGIN("plait.dropout", "1.0.0", "Apache-2.0", takes_bf16(layer<layers::Dropout>("plait.dropout")));
