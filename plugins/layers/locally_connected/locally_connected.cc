// Convolution's windows with weights of their own at every place. Source: LeCun 1989, "Generalization and
// network design strategies"; Taigman et al. 2014, layers L4 to L6.
#include <plait/initializers.hpp>
#include <plait/sdk/fast.hpp>
#include <plait/sdk/panels.hpp>
#include <plait/window.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace layers {
namespace {

constexpr size_t kWidth = 16;  // of a panel: filters, or terms, side by side

PLAIT_FAST void multiply(const float* vectors, const float* panel, size_t d, float* sums) {
  multiply_panel<kWidth>(vectors, panel, d, sums);
}
PLAIT_FAST void add_to(const float* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

size_t panels_of(size_t count) { return (count + kWidth - 1) / kWidth; }
size_t in_eights(size_t count) { return round_up(count, kPanelVectors); }

// to: [columns / 16, rows, 16] of from [rows, columns], `row` numbers from one row to the next; filled up
// with zeros.
void make_panels(const float* from, size_t row, size_t rows, size_t columns, float* to) {
  for (size_t first = 0; first < columns; first += kWidth) {
    const size_t count = std::min(kWidth, columns - first);
    for (size_t r = 0; r < rows; ++r, to += kWidth) {
      std::copy_n(from + r * row + first, count, to);
      std::fill(to + count, to + kWidth, 0.0f);
    }
  }
}

struct LocallyConnected {
  int64_t filters = 0;
  std::vector<int64_t> kernel = {3}, stride = {1}, padding = {0};
  bool bias = true;
  std::string weight_init = kDefaultInitializer;

  static void describe(Describe<LocallyConnected>& d) {
    d.doc("windows as a convolution has them, with weights of their own at every place");
    d.details(
        "y[n, p, f] = b[p, f] + sum over taps t and channels c of x[n, stride p + t - padding, c] w[p, f, c, "
        "t].\n"
        "Shapes: x [N, W, C] or [N, H, W, C] f32; y the same with `filters` channels and extents\n"
        "floor((input + 2 padding - kernel) / stride) + 1. Parameters: weight [extents of y, filters, C, "
        "kernel],\n"
        "bias [extents of y, filters].\n"
        "Source: LeCun 1989, Generalization and network design strategies; Taigman et al. 2014.");
    d.field("filters", &LocallyConnected::filters)
        .doc("channels of the output")
        .range(1, kMostChannels)
        .required();
    d.field("kernel", &LocallyConnected::kernel)
        .doc("extents of a window: one for all axes, or one per axis")
        .range(1, kMostExtent)
        .unit("px");
    d.field("stride", &LocallyConnected::stride).doc("steps of the window").range(1, kMostExtent).unit("px");
    d.field("padding", &LocallyConnected::padding)
        .doc("zeros added on each side; less than the kernel")
        .range(0, kMostExtent)
        .unit("px");
    d.field("bias", &LocallyConnected::bias).doc("whether to add a bias");
    d.field("weight_init", &LocallyConnected::weight_init).doc(kInitializerDoc).choices(kInitializers);
  }
  static void ports(Ports& p) {
    p.input("x", "[N, extents, C]");
    p.output("y", "[N, extents, filters]");
    p.parameter("weight", "[extents of y, filters, C, kernel]").doc("filters of each place; extents last");
    p.parameter("bias", "[extents of y, filters]").doc("where there is one");
  }

  Window window(Spec x) const {
    static constexpr int64_t kOne[] = {1};
    const Window w(x, kernel, stride, padding, kOne);
    if (w.axes > 2) throw Error("input is ", x, ", wanted f32 [N, W, C] or [N, H, W, C]");
    if (x.variable_axis() >= 0)
      throw Error("axis ", x.variable_axis(), " of the input varies, wanted fixed extents");
    for (int a = w.first(); a < 3; ++a) {
      if (w.padding[a] > 0 && w.padding[a] >= w.kernel[a])
        throw Error("padding ", w.text_of(w.padding), " is not smaller than the kernel ",
                    w.text_of(w.kernel));
    }
    return w;
  }

  void infer(LayerShapes& s) const {
    const Spec x = s.input();
    const Window w = window(x);
    const int64_t channels = x.shape(-1);
    s.output(w.output_shape(x.shape(0), filters));
    const auto taps = static_cast<double>(w.taps());
    const double fan_in = static_cast<double>(channels) * taps, fan_out = static_cast<double>(filters) * taps;
    initialize_weight(weight(s, w, channels), weight_init, fan_in, fan_out);
    if (bias) initialize_bias(bias_of(s, w), weight_init, fan_in, fan_out);
    s.multiply_adds(static_cast<double>(x.shape(0)) * static_cast<double>(w.outputs()) *
                    static_cast<double>(filters) * fan_in);
  }

  struct Kernel;

 private:
  ParameterSpec& weight(LayerShapes& s, const Window& w, int64_t channels) const {
    if (w.axes == 1) return s.weight("weight", {w.output[2], filters, channels, w.kernel[2]});
    return s.weight("weight", {w.output[1], w.output[2], filters, channels, w.kernel[1], w.kernel[2]});
  }
  ParameterSpec& bias_of(LayerShapes& s, const Window& w) const {
    if (w.axes == 1) return s.weight("bias", {w.output[2], filters}).no_decay();
    return s.weight("bias", {w.output[1], w.output[2], filters}).no_decay();
  }
};

// A place's weights are stored as panels [filters / 16, terms, 16], terms = taps C, filled up with zeros.
// Places are computed side by side; each sum has one order, whatever the lanes.
struct LocallyConnected::Kernel {
  WindowWalk walk;
  std::vector<WindowAt> places;
  size_t batch, filters, terms;
  bool has_bias;

  Kernel(const LocallyConnected& config, Context&, const LayerRequest& r, LayerNeeds& n)
      : walk(config.window(r.input()), static_cast<size_t>(r.input().shape(-1))),
        batch(static_cast<size_t>(r.input().shape(0))),
        filters(static_cast<size_t>(config.filters)),
        terms(Checked(walk.taps) * walk.channels),
        has_bias(config.bias) {
    walk.each_window([&](const WindowAt& at) { places.push_back(at); });
    n.backward_reads(Reads::inputs);
    n.accumulates();
    n.stored_elements(0, Checked(places.size()) * weights());
    const Checked columns = Checked(r.input_gradient_needed() ? batch : 0) * places.size() * terms;
    const size_t scratch = r.training() ? std::max(forward_scratch(), backward_scratch()) : forward_scratch();
    n.workspace((columns + Checked(pieces()) * scratch) * sizeof(float));
  }

  void forward(Context& c, const LayerCall& call) const {
    each_place(c, [&](size_t place, size_t piece) {
      float* const seen = call.workspace<float>() + piece * forward_scratch();
      float* const sums = seen + kPanelVectors * terms;
      for (size_t n = 0; n < batch; n += kPanelVectors) {
        const size_t rows = std::min(kPanelVectors, batch - n);
        for (size_t i = 0; i < rows; ++i) gather(call, n + i, place, seen + i * terms);
        for (size_t first = 0; first < filters; first += kWidth) {
          multiply(seen, call.parameter(0) + place * weights() + first * terms, terms, sums);
          for (size_t i = 0; i < rows; ++i) give(call, n + i, place, first, sums + i * kWidth);
        }
      }
    });
  }

  // What each place gives back to what it sees; then, of each input, the sum over places in their order.
  void backward(Context& c, const LayerCall& call) const {
    const size_t columns = call.input_gradient() ? batch * places.size() * terms : 0;
    each_place(c, [&](size_t place, size_t piece) {
      float* const scratch = call.workspace<float>() + columns + piece * backward_scratch();
      if (call.parameter_gradient(0)) weight_gradient(call, place, scratch);
      if (has_bias && call.parameter_gradient(1)) bias_gradient(call, place);
      if (columns > 0) column_gradients(call, place, scratch);
    });
    if (call.input_gradient()) c.parallel_for(batch, 1, [&](size_t n) { input_gradient(call, n); });
  }

  void pack(Context&, uint32_t index, const float* plain, float* stored) const {
    if (index != 0) return void(std::copy_n(plain, places.size() * filters, stored));
    std::fill_n(stored, places.size() * weights(), 0.0f);
    each_weight([&](size_t from, size_t to) { stored[to] = plain[from]; });
  }
  void unpack(Context&, uint32_t index, const float* stored, float* plain) const {
    if (index != 0) return void(std::copy_n(stored, places.size() * filters, plain));
    each_weight([&](size_t to, size_t from) { plain[to] = stored[from]; });
  }

 private:
  static constexpr size_t kMostPieces = 16;
  size_t grain() const { return (places.size() + kMostPieces - 1) / kMostPieces; }
  size_t pieces() const { return (places.size() + grain() - 1) / grain(); }
  size_t weights() const { return Checked(panels_of(filters)) * kWidth * terms; }  // of a place
  // Floats of a piece: what eight samples see, and sums.
  size_t forward_scratch() const { return Checked(kPanelVectors) * terms + kPanelVectors * kWidth; }
  // One after the other: what all samples see and their gradients, or gradients and weights; and sums.
  size_t backward_scratch() const {
    const size_t of_weights =
        Checked(in_eights(terms)) * batch + Checked(panels_of(filters)) * kWidth * batch;
    const size_t of_columns =
        Checked(in_eights(batch)) * filters + Checked(panels_of(terms)) * kWidth * filters;
    return Checked(std::max(of_weights, of_columns)) + kPanelVectors * kWidth;
  }

  // body(place, piece): pieces may be computed side by side.
  template <class Body>
  void each_place(Context& c, const Body& body) const {
    c.parallel_for(places.size(), grain(), [&](size_t begin, size_t end) {
      for (size_t place = begin; place < end; ++place) body(place, place / grain());
    });
  }
  // body(tap, where in the sample's input) of those that a place sees.
  template <class Body>
  void each_tap(size_t place, const Body& body) const {
    const WindowAt& at = places[place];
    const auto visit = [&](size_t tap) { body(tap, static_cast<size_t>(at.origin + walk.offsets[tap])); };
    if (!at.inside) return walk.each_tap_inside(at, visit);
    for (size_t tap = 0; tap < walk.taps; ++tap) visit(tap);
  }
  // body(place in plain order [places, filters, C, taps], place in stored order)
  template <class Body>
  void each_weight(const Body& body) const {
    size_t plain = 0;
    for (size_t place = 0; place < places.size(); ++place)
      for (size_t f = 0; f < filters; ++f)
        for (size_t c = 0; c < walk.channels; ++c)
          for (size_t t = 0; t < walk.taps; ++t, ++plain) {
            const size_t term = t * walk.channels + c;
            body(plain, place * weights() + (f / kWidth * terms + term) * kWidth + f % kWidth);
          }
  }

  // seen [terms]: zeros in the padding.
  void gather(const LayerCall& call, size_t n, size_t place, float* seen) const {
    const float* const x = call.input().f32().data() + n * walk.sample_inputs;
    if (!places[place].inside) std::fill_n(seen, terms, 0.0f);
    each_tap(place,
             [&](size_t tap, size_t at) { std::copy_n(x + at, walk.channels, seen + tap * walk.channels); });
  }
  void give(const LayerCall& call, size_t n, size_t place, size_t first, const float* sums) const {
    const size_t count = std::min(kWidth, filters - first);
    float* const y = call.output().f32().data() + (n * places.size() + place) * filters + first;
    std::copy_n(sums, count, y);
    if (has_bias) add_to(call.parameter(1) + place * filters + first, count, y);
  }
  // Of a place, [filters]; from one sample to the next are places * filters numbers.
  const float* gradient(const LayerCall& call, size_t n, size_t place) const {
    return call.output_gradient().f32().data() + (n * places.size() + place) * filters;
  }

  // dw [terms, filters] = seen^T dy
  void weight_gradient(const LayerCall& call, size_t place, float* scratch) const {
    float *const seen = scratch, *const panels = seen + in_eights(terms) * batch;
    float* const sums = panels + panels_of(filters) * kWidth * batch;
    std::fill_n(seen, in_eights(terms) * batch, 0.0f);
    for (size_t n = 0; n < batch; ++n) {
      const float* const x = call.input().f32().data() + n * walk.sample_inputs;
      each_tap(place, [&](size_t tap, size_t at) {
        for (size_t k = 0; k < walk.channels; ++k) seen[(tap * walk.channels + k) * batch + n] = x[at + k];
      });
    }
    make_panels(gradient(call, 0, place), places.size() * filters, batch, filters, panels);
    float* const dw = call.parameter_gradient(0) + place * weights();
    for (size_t p = 0; p < panels_of(filters); ++p)
      for (size_t k = 0; k < terms; k += kPanelVectors) {
        multiply(seen + k * batch, panels + p * batch * kWidth, batch, sums);
        std::copy_n(sums, std::min(kPanelVectors, terms - k) * kWidth, dw + (p * terms + k) * kWidth);
      }
  }
  void bias_gradient(const LayerCall& call, size_t place) const {
    float* const db = call.parameter_gradient(1) + place * filters;
    std::fill_n(db, filters, 0.0f);
    for (size_t n = 0; n < batch; ++n) add_to(gradient(call, n, place), filters, db);
  }
  // Gradients of what a place sees, [places, batch, terms] = dy w^T.
  void column_gradients(const LayerCall& call, size_t place, float* scratch) const {
    float *const dy = scratch, *const panels = dy + in_eights(batch) * filters;
    float* const sums = panels + panels_of(terms) * kWidth * filters;
    for (size_t n = 0; n < batch; ++n) std::copy_n(gradient(call, n, place), filters, dy + n * filters);
    std::fill_n(dy + batch * filters, (in_eights(batch) - batch) * filters, 0.0f);
    turn_weights(call.parameter(0) + place * weights(), panels);
    float* const columns = call.workspace<float>() + place * batch * terms;
    for (size_t n = 0; n < batch; n += kPanelVectors)
      for (size_t first = 0; first < terms; first += kWidth) {
        multiply(dy + n * filters, panels + first * filters, filters, sums);
        for (size_t i = 0; i < std::min(kPanelVectors, batch - n); ++i)
          std::copy_n(sums + i * kWidth, std::min(kWidth, terms - first), columns + (n + i) * terms + first);
      }
  }
  // to: panels [terms / 16, filters, 16] of a place's stored weights.
  void turn_weights(const float* stored, float* to) const {
    std::fill_n(to, panels_of(terms) * kWidth * filters, 0.0f);
    for (size_t f = 0; f < filters; ++f)
      for (size_t k = 0; k < terms; ++k)
        to[(k / kWidth * filters + f) * kWidth + k % kWidth] =
            stored[(f / kWidth * terms + k) * kWidth + f % kWidth];
  }
  void input_gradient(const LayerCall& call, size_t n) const {
    float* const dx = call.input_gradient().f32().data() + n * walk.sample_inputs;
    if (!call.accumulate()) std::fill_n(dx, walk.sample_inputs, 0.0f);
    for (size_t place = 0; place < places.size(); ++place) {
      const float* const columns = call.workspace<float>() + (place * batch + n) * terms;
      each_tap(place,
               [&](size_t tap, size_t at) { add_to(columns + tap * walk.channels, walk.channels, dx + at); });
    }
  }
};

}  // namespace
}  // namespace layers

PLAIT_PLUGIN("plait.locally_connected", "1.0.0", "Apache-2.0",
             layer<layers::LocallyConnected>("plait.locally_connected"));
