// Numbers as 8-bit integers, for layers that are made with ONEDNN and take ranges of their inputs
// (LayerNeeds::takes_int8): y = scale(x) scale(w) (sum of q(x) q(w)) + bias.
//
// Inputs: one scale a tensor. A range of no negative numbers becomes u8, q = x / (high / 255); another one
// s8, q = x / (max(-low, high) / 127). Rounded to the nearest, ties to even; beyond the range its ends.
// Weights: s8, one scale a filter, its largest magnitude over 127. Sums are of i32, and exact: bits do not
// follow from batch and lanes. Where the processor has no instructions for it (VNNI) oneDNN adds two products
// in 16 bits: there weights have 7 bits, so that nothing saturates; of a convolution of s8 they are twice
// those numbers, which oneDNN then halves.
// Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", section 2.1 (with zero points of 0).
//
// Threads: making [setup only]; the rest [any].
#pragma once
#include <plait/onednn.hpp>
#include <plait/onednn_notes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "sdk/fast.hpp"

namespace plait::sdk {

namespace detail {

// q[i] = x[i] * inverse, from low to high, rounded to the nearest, as the low byte of two's complement.
// Returns whether all are finite. `low` and `high` are whole and within 2^21.
PLAIT_FAST inline bool round_to_bytes(const float* x, float inverse, float low, float high, uint8_t* q,
                                      size_t count) {
  constexpr float kWhole = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  uint32_t bad = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = __builtin_bit_cast(uint32_t, x[i]) & 0x7FFFFFFFu;
    bad |= static_cast<uint32_t>(magnitude > 0x7F7FFFFFu);
    float v = x[i] * inverse;
    v = v < low ? low : v;
    v = v > high ? high : v;
    q[i] = static_cast<uint8_t>(__builtin_bit_cast(uint32_t, v + kWhole));
  }
  return bad == 0;
}

// Whether products of bytes are added in 32 bits at once.
inline bool adds_in_32_bits() {
  const auto isa = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  const auto has = [isa](dnnl_cpu_isa_t one) {
    return (isa & static_cast<unsigned>(one)) == static_cast<unsigned>(one);
  };
  return has(dnnl_cpu_isa_avx2_vnni) || has(dnnl_cpu_isa_avx512_core_vnni);
}

inline constexpr float kLeastRange = 0x1p-60f;  // below it scales would be no normal numbers

}  // namespace detail

// An input's numbers.
class Int8Input {
 public:
  explicit Int8Input(Range range) : is_signed_(range.low < 0), most_(is_signed_ ? 127.0f : 255.0f) {
    const double largest = std::max({-range.low, range.high, double{detail::kLeastRange}});
    scale_ = static_cast<float>(largest / double{most_});
  }
  bool is_signed() const { return is_signed_; }
  float scale() const { return scale_; }  // x is about scale() q
  dnnl::memory::data_type type() const {
    return is_signed_ ? dnnl::memory::data_type::s8 : dnnl::memory::data_type::u8;
  }
  // Fails with: kNumeric for NaN and infinity.
  void round(Context& c, In x, uint8_t* q) const {
    const float low = is_signed_ ? -most_ : 0;
    constexpr size_t kGrain = size_t{1} << 16;
    c.parallel_for(x.size(), c.lanes() == 1 ? x.size() : kGrain, [&](size_t begin, size_t end) {
      if (!detail::round_to_bytes(x.data() + begin, 1 / scale_, low, most_, q + begin, end - begin))
        throw Error(ErrorCode::kNumeric,
                    "the input has NaN or infinity, wanted finite numbers: they become 8-bit integers");
    });
  }

 private:
  bool is_signed_;
  float most_, scale_ = 1;
};

enum class Int8For { kConvolution, kProduct };

// A layer's weights, made of the f32 ones after each change of them, in a block of prepared memory.
class Int8Weights {
 public:
  // `plain`: of s8 in the order in which prepare makes them, a filter's number times `terms` and so on where
  // that is the plain order; `wanted`: the primitive's.
  Int8Weights(const dnnl::engine& engine, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted,
              size_t filters, size_t terms, Int8For user)
      : filters_(filters), terms_(terms), user_(user), wanted_(wanted) {
    const dnnl::reorder::primitive_desc pd(engine, plain, engine, wanted, onednn_attributes({}));
    reorder_.emplace(engine, dnnl::reorder(pd),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, wanted}},
                     pd.scratchpad_desc());
    scales_ = lines(wanted.get_size());
    plain_ = Checked(scales_) + lines(Checked(filters) * sizeof(float));
    scratchpad_ = Checked(plain_) + lines(plain.get_size());
    bytes_ = Checked(scratchpad_) + lines(reorder_->scratchpad_bytes());
  }

  size_t bytes() const { return bytes_; }
  // What a primitive is given.
  const dnnl::memory::desc& desc() const { return wanted_; }
  dnnl::memory::desc scales_desc() const {
    return {{static_cast<dnnl::memory::dim>(filters_)},
            dnnl::memory::data_type::f32,
            dnnl::memory::format_tag::x};
  }
  static const void* weights(const void* prepared) { return prepared; }
  const float* scales(const void* prepared) const {  // with the input's
    return reinterpret_cast<const float*>(static_cast<const uint8_t*>(prepared) + scales_);
  }
  const std::optional<OneDnnCall>& reorder() const { return reorder_; }

  // from(filter, term): the place of a weight among the stored ones; to(filter, term): in plain order.
  // Fails with: kNumeric for a weight that is not finite.
  template <class From, class To>
  void prepare(const Int8Input& input, const float* stored, void* prepared, const From& from,
               const To& to) const {
    auto* const block = static_cast<uint8_t*>(prepared);
    auto* const scales = reinterpret_cast<float*>(block + scales_);
    auto* const plain = reinterpret_cast<int8_t*>(block + plain_);
    const bool halved = !detail::adds_in_32_bits();
    const float steps = halved ? 63.0f : 127.0f;
    const int step = halved && input.is_signed() && user_ == Int8For::kConvolution ? 2 : 1;
    for (size_t f = 0; f < filters_; ++f) {
      float largest = detail::kLeastRange;
      for (size_t t = 0; t < terms_; ++t) {
        const float w = stored[from(f, t)];
        if (!std::isfinite(w)) throw Error(ErrorCode::kNumeric, "weight ", t, " of filter ", f, " is ", w);
        largest = std::max(largest, std::fabs(w));
      }
      const float scale = largest / steps;
      for (size_t t = 0; t < terms_; ++t)
        plain[to(f, t)] =
            static_cast<int8_t>(step * static_cast<int>(std::nearbyint(stored[from(f, t)] / scale)));
      scales[f] = scale / static_cast<float>(step) * input.scale();
    }
    reorder_->run({plain, block}, block + scratchpad_);
  }

 private:
  static size_t lines(Checked bytes) { return round_up(bytes, 64); }

  size_t filters_, terms_;
  Int8For user_;
  dnnl::memory::desc wanted_;
  std::optional<OneDnnCall> reorder_;
  size_t scales_ = 0, plain_ = 0, scratchpad_ = 0, bytes_ = 0;
};

// The forward pass of a layer with one input: its numbers become integers in the workspace, and a primitive
// multiplies them by the weights.
class Int8Layer {
 public:
  Int8Layer(Range range, bool has_bias) : input_(range), has_bias_(has_bias) {}
  const Int8Input& input() const { return input_; }
  const dnnl::engine& engine() const { return engine_; }

  // Once: the weights, as Int8Weights has them; then the primitive, of `numbers` of input.
  const Int8Weights& take_weights(const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted,
                                  size_t filters, size_t terms, Int8For user) {
    return weights_.emplace(engine_, plain, wanted, filters, terms, user);
  }
  void take_primitive(const dnnl::primitive& primitive, const dnnl::memory::desc& x,
                      const dnnl::memory::desc& bias, const dnnl::memory::desc& y,
                      const dnnl::memory::desc& scratchpad, Checked numbers) {
    std::vector<OneDnnCall::Argument> arguments{
        {DNNL_ARG_SRC, x},
        {DNNL_ARG_WEIGHTS, weights_->desc()},
        {DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, weights_->scales_desc()},
        {DNNL_ARG_DST, y}};
    if (has_bias_) arguments.push_back({DNNL_ARG_BIAS, bias});
    primitive_.emplace(engine_, primitive, arguments, scratchpad);
    scratchpad_ = round_up(numbers, 64);
    workspace_ = Checked(scratchpad_) + primitive_->scratchpad_bytes();
  }

  size_t workspace_bytes() const { return workspace_; }
  size_t prepared_bytes() const { return weights_->bytes(); }
  void note(const KernelNotes& notes) const {
    notes.forward(input_.is_signed() ? "own:f32 to s8" : "own:f32 to u8");
    note_forward(notes, primitive_);
  }

  // As Int8Weights::prepare, of parameter 0.
  template <class From, class To>
  void prepare(const LayerCall& call, const From& from, const To& to) const {
    weights_->prepare(input_, call.parameter(0), call.prepared(), from, to);
  }
  // Fails with: kNumeric for an input that is not finite.
  void forward(Context& c, const LayerCall& call) const {
    auto* const q = call.workspace<uint8_t>();
    input_.round(c, call.input().f32(), q);
    const std::array<const void*, 5> memory{q, Int8Weights::weights(call.prepared()),
                                            weights_->scales(call.prepared()), call.output().f32().data(),
                                            has_bias_ ? call.parameter(1) : nullptr};
    primitive_->run(std::span(memory.data(), has_bias_ ? 5 : 4), q + scratchpad_);
  }

 private:
  Int8Input input_;
  bool has_bias_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  std::optional<Int8Weights> weights_;
  std::optional<OneDnnCall> primitive_;
  size_t scratchpad_ = 0, workspace_ = 0;  // where the primitive's begins, after the integers; in all
};

// Of a primitive whose weights have a scale each along the axes of `mask`; the rest as onednn_attributes.
inline dnnl::primitive_attr int8_attributes(const Activation& f, int mask) {
  dnnl::primitive_attr attr = onednn_attributes(f);
  attr.set_scales_mask(DNNL_ARG_WEIGHTS, mask);
  return attr;
}

}  // namespace plait::sdk
