// Convolution (as the field calls it: the kernel is not mirrored) over one to three spatial axes.
#include <plait/bf16.hpp>
#include <plait/onednn.hpp>

#include <algorithm>
#include <optional>

#include "convolution.h"
#include "direct.hpp"
#include "onednn.hpp"
#include "quantized.hpp"
#include "winograd.hpp"

using namespace plait::sdk;

namespace convolution {

// oneDNN and winograd convolve bf16, and gain where vectors of channels are full: README.md has the
// measurements. auto and what it may take alike, as a run keeps that. Without the batch, so that a record's
// prediction does not depend on how many come with it.
void Convolution::check_bf16(LayerShapes& s, int64_t channels) const {
  constexpr int64_t kLeast = 16;
  if (implementation == "own" || channels < kLeast || filters < kLeast || !onednn_has_bf16())
    s.fail("input is ", s.input(), ", and so few channels or filters, or own loops, are convolved in f32");
}

// Which kernel runs follows from the shape alone.
struct Convolution::Kernel {
  ConvolutionShape shape;
  std::optional<Direct> direct;
  std::optional<OneDnn> onednn;
  std::optional<Quantized> quantized;
  std::optional<Winograd> winograd;

  Kernel(const Convolution& config, Context& c, const LayerRequest& r, LayerNeeds& n)
      : shape(config.shape(r)) {
    n.stored_elements(0, stored_weights(shape));
    n.backward_reads(shape.activates() ? Reads::both : Reads::inputs);
    const bool own = config.implementation == "own";
    if (own && !Direct::can(shape)) {
      throw Error("implementation: own convolves without groups over one or two axes, wanted ", shape.groups,
                  " groups over ", shape.window.axes);
    }
    const bool by_tiles = config.implementation == "winograd";
    if (by_tiles && !Winograd::can(shape)) throw Error("implementation: winograd ", Winograd::wants(shape));
    const bool is_open = config.implementation == "auto",
               takes_own = own || (is_open && !shape.bf16 && Direct::suits(shape)),
               takes_tiles = by_tiles || (is_open && !takes_own && Winograd::suits(shape, r.input()));
    const KernelNotes notes(c);
    if (is_open) notes.chose("implementation", takes_own ? "own" : takes_tiles ? "winograd" : "onednn");
    if (!shape.bf16 && (!takes_own || Quantized::wins(shape))) n.takes_int8();
    if (const auto range = r.int8_range()) {
      quantized.emplace(shape, *range);
      quantized->note(notes);
      n.prepared(quantized->prepared_bytes());
      n.workspace(quantized->workspace_bytes());
    } else if (takes_tiles) {
      winograd.emplace(shape, c.lanes());
      n.workspace(winograd->workspace_bytes());
      n.prepared(winograd->prepared_bytes());
      n.accumulates();
      notes.forward("own:winograd"), notes.backward("own:winograd");
    } else if (takes_own) {
      direct.emplace(shape, c.lanes());
      n.workspace(direct->workspace_bytes());
      n.accumulates();
    } else {
      onednn.emplace(shape);
      onednn->note(notes);
      n.workspace(onednn->workspace_bytes());
    }
  }

  void forward(Context& c, const LayerCall& call) const {
    if (quantized) return quantized->forward(c, call);
    winograd ? winograd->forward(c, call) : direct ? direct->forward(c, call) : onednn->forward(c, call);
  }
  void backward(Context& c, const LayerCall& call) const {
    winograd ? winograd->backward(c, call) : direct ? direct->backward(c, call) : onednn->backward(c, call);
  }
  void prepare(Context& c, const LayerCall& call) const {
    if (winograd) winograd->prepare(c, call);
    if (quantized) quantized->prepare(call);
  }

  void pack(Context&, uint32_t index, const float* plain, float* stored) const {
    if (index != 0) return void(std::copy_n(plain, shape.filters, stored));
    std::fill_n(stored, stored_weights(shape), 0.0f);
    each_weight([&](size_t from, size_t to) { stored[to] = plain[from]; });
  }
  void unpack(Context&, uint32_t index, const float* stored, float* plain) const {
    if (index != 0) return void(std::copy_n(stored, shape.filters, plain));
    each_weight([&](size_t to, size_t from) { plain[to] = stored[from]; });
  }

 private:
  // body(place in plain order, place in stored order)
  template <class Body>
  void each_weight(const Body& body) const {
    const size_t channels = shape.channels / shape.groups, taps = shape.window.taps();
    size_t plain = 0;
    for (size_t f = 0; f < shape.filters; ++f) {
      for (size_t c = 0; c < channels; ++c) {
        for (size_t t = 0; t < taps; ++t, ++plain) {
          body(plain, shape.groups > 1 ? plain : stored_place(shape, f, c, t));
        }
      }
    }
  }
};

}  // namespace convolution

PLAIT_PLUGIN("plait.convolution", "1.0.0", "Apache-2.0",
             wants_bf16(layer<convolution::Convolution>("plait.convolution")), numerics(&onednn_facts));
