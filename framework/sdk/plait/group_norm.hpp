// Normalizing groups of channels of each sample by themselves: all that a layer of this kind needs besides
// its fields. Optional; sdk.hpp does not include it.
//
//   struct Halves {  // two groups
//     static constexpr bool two_axes = true;
//     double epsilon = 1e-5;
//     static void describe(Describe<Halves>& d) { d.doc("normalizes each half of the channels"); ... }
//     GroupNormalizing how() const { return {.groups = 2, .affine = true, .epsilon = epsilon}; }
//     void infer(LayerShapes& s) const { infer_groups(s, how()); }
//     struct Kernel : GroupNormKernel {
//       Kernel(const Halves& config, Context&, const LayerRequest& r, LayerNeeds& n)
//           : GroupNormKernel(config.how(), r, n) {}
//     };
//   };
//
// y = weight (x - mean) / sqrt(variance + epsilon) + bias, mean and variance over the places of a sample and
// the channels of a group, the variance divided by their count; in training and in evaluation alike.
// Shapes: x and y [N, ..., C] f32, of which up to two axes between N and C may vary: the places that a sample
//         has. Parameters where affine: weight [C], bias [C].
// Sums run in f64, about the first place, one place after the other: bits do not depend on the lanes, nor on
// who else is in the batch.
// Fails with: kInvalid for another input, groups that do not divide the channels, and groups of one number.
// Threads: [any]
// Source: Wu, He 2018, equations 1 to 3 and 7.
#pragma once
#include <plait/group_norm_vectors.hpp>
#include <plait/sample_places.hpp>
#include <plait/sdk.hpp>
#include <plait/sdk/checked.hpp>
#include <plait/sdk/fast.hpp>

#include <algorithm>
#include <cmath>

namespace plait::sdk {

struct GroupNormalizing {
  int64_t groups = 1;  // 0: as many as there are channels
  bool affine = true;
  double epsilon = 1e-5;
};

inline void infer_groups(LayerShapes& s, const GroupNormalizing& how) {
  const Spec x = s.input();
  if (x.dtype() != DType::f32 || x.rank() < 2) s.fail("input is ", x, ", wanted f32 [N, ..., C]");
  for (const int axis : {0, x.rank() - 1})
    if (x.varies(axis)) s.fail("axis ", axis, " of input ", x, " varies, wanted axes of places");
  const int64_t channels = x.shape(-1), groups = how.groups == 0 ? channels : how.groups;
  if (channels < 1 || channels % groups != 0)
    s.fail(groups, " groups do not divide the ", channels, " channels of input ", x);
  Checked count = channels / groups;
  for (int axis = 1; axis < x.rank() - 1; ++axis) count = count * x.shape(axis);
  if (count.value() == 1)
    s.fail("input is ", x, ": one number a group (", groups, " of ", channels,
           " channels) is its own mean; wanted several");
  s.output_like(0);
  if (!how.affine) return;
  s.weight("weight", {channels}).init("ones").no_decay();
  s.bias("bias", channels);
}

namespace detail {

// Of eight channels. Not passed by value: the ABI of such types depends on the instruction set.
using EightSums = double __attribute__((vector_size(8 * sizeof(double))));
using EightFloats = float __attribute__((vector_size(8 * sizeof(float)), aligned(alignof(float))));

PLAIT_INLINE void read_eight(const float* from, EightSums& to) {
  to = __builtin_convertvector(*reinterpret_cast<const EightFloats*>(from), EightSums);
}

// sums [2, channels] += column sums over rows of u = a - from, and of u v with v = b - about
PLAIT_FAST inline void add_channel_sums(const float* a, const float* from, const float* b, const float* about,
                                        size_t rows, size_t channels, double* sums) {
  double* const products = sums + channels;
  size_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    EightSums sum, product, from_a, about_b, u, v;
    __builtin_memcpy(&sum, sums + c, sizeof sum);
    __builtin_memcpy(&product, products + c, sizeof product);
    read_eight(from + c, from_a);
    read_eight(about + c, about_b);
    for (size_t r = 0, at = c; r < rows; ++r, at += channels) {
      read_eight(a + at, u);
      read_eight(b + at, v);
      u -= from_a;
      v -= about_b;
      sum += u;
      product += u * v;
    }
    __builtin_memcpy(sums + c, &sum, sizeof sum);
    __builtin_memcpy(products + c, &product, sizeof product);
  }
  for (; c < channels; ++c) {
    for (size_t r = 0, at = c; r < rows; ++r, at += channels) {
      const double u = static_cast<double>(a[at]) - static_cast<double>(from[c]);
      sums[c] += u;
      products[c] += u * (static_cast<double>(b[at]) - static_cast<double>(about[c]));
    }
  }
}

// y = (x - mean) factor + bias, by channel: the difference first, which is small where the factor is large
PLAIT_FAST inline void normalize_channels(const float* x, const float* mean, const float* factor,
                                          const float* bias, size_t rows, size_t channels, float* y) {
  for (size_t r = 0; r < rows; ++r, x += channels, y += channels) {
    for (size_t c = 0; c < channels; ++c) y[c] = (x[c] - mean[c]) * factor[c] + bias[c];
  }
}

// dx = a dy + b (x - mean) + k, by channel
PLAIT_FAST inline void combine_channels(const float* dy, const float* x, const float* a, const float* b,
                                        const float* mean, const float* k, size_t rows, size_t channels,
                                        float* dx) {
  for (size_t r = 0; r < rows; ++r, dy += channels, x += channels, dx += channels) {
    for (size_t c = 0; c < channels; ++c) dx[c] = a[c] * dy[c] + (b[c] * (x[c] - mean[c]) + k[c]);
  }
}

}  // namespace detail

class GroupNormKernel {
 public:
  GroupNormKernel(const GroupNormalizing& how, const LayerRequest& r, LayerNeeds& n)
      : how_(how),
        places_(r.input()),
        batch_(static_cast<size_t>(r.input().shape(0))),
        channels_(static_cast<size_t>(r.input().shape(-1))),
        groups_(how.groups == 0 ? channels_ : static_cast<size_t>(how.groups)) {
    n.backward_reads(Reads::inputs);
    if (r.training()) n.saved(Checked(batch_) * groups_ * sizeof(Statistics));
    n.workspace(Checked(batch_) * channels_ * (2 * sizeof(double) + 4 * sizeof(float)));
  }

  void forward(Context& c, const LayerCall& call) const {
    const float* x = call.input().f32().data();
    float* y = call.output().f32().data();
    c.parallel_for(batch_, grain(),
                   [&](size_t n) { forward_sample(call, n, x + n * sample(), y + n * sample()); });
  }

  void backward(Context& c, const LayerCall& call) const {
    const float *x = call.input().f32().data(), *dy = call.output_gradient().f32().data();
    float* dx = call.input_gradient() ? call.input_gradient().f32().data() : nullptr;
    c.parallel_for(batch_, grain(), [&](size_t n) {
      const size_t at = n * sample();
      backward_sample(call, n, x + at, dy + at, dx ? dx + at : nullptr);
    });
    if (how_.affine) add_up(call);
  }

 private:
  using Used = SamplePlaces::Used;
  using Statistics = detail::GroupStatistics;
  // Of a sample, [channels] each.
  struct Numbers {
    double* sums;  // [2, channels]
    float *mean, *factor, *bias, *other;
  };

  size_t sample() const { return places_.count() * channels_; }
  size_t grain() const { return 1 + Context::kDefaultGrain / (sample() + 1); }
  size_t group_channels() const { return channels_ / groups_; }
  size_t rows_at_once() const { return std::max<size_t>(2048 / channels_, 1); }
  Numbers numbers(const LayerCall& call, size_t n) const {
    auto* sums = call.workspace<double>();
    float* more = reinterpret_cast<float*>(sums + batch_ * 2 * channels_) + n * 4 * channels_;
    return {sums + n * 2 * channels_, more, more + channels_, more + 2 * channels_, more + 3 * channels_};
  }
  float weight(const LayerCall& call, size_t k) const { return how_.affine ? call.parameter(0)[k] : 1.0f; }
  float bias(const LayerCall& call, size_t k) const { return how_.affine ? call.parameter(1)[k] : 0.0f; }

  // body(first row, rows): pieces of places that stay in the first cache
  template <class Body>
  void pieces(Used used, const Body& body) const {
    places_.runs(used, [&](uint64_t place, uint64_t count) {
      const uint64_t most = rows_at_once();
      for (uint64_t done = 0; done < count; done += most) body(place + done, std::min(most, count - done));
    });
  }

  // Numbers of a sample that has count places: sums of a - from, and of that times b - about.
  void sum(Used used, const float* a, const float* from, const float* b, const float* about,
           double* sums) const {
    std::fill_n(sums, 2 * channels_, 0.0);
    pieces(used, [&](uint64_t row, uint64_t rows) {
      const size_t at = row * channels_;
      detail::add_channel_sums(a + at, from, b + at, about, rows, channels_, sums);
    });
  }

  // Samples of one place, all of which they have.
  bool is_vector() const { return places_.count() == 1 && places_.first_axis < 0; }

  void forward_sample(const LayerCall& call, size_t n, const float* x, float* y) const {
    if (is_vector())
      return detail::normalize_vector(x, how_.affine ? call.parameter(0) : nullptr,
                                      how_.affine ? call.parameter(1) : nullptr, groups_, group_channels(),
                                      how_.epsilon,
                                      call.training() ? call.saved<Statistics>() + n * groups_ : nullptr, y);
    const Used used = places_.of(call.input(), n);
    const uint64_t places = places_.count(used);
    if (places < places_.count()) std::fill_n(y, sample(), 0.0f);
    const Numbers by = numbers(call, n);
    learn(call, n, x, used, static_cast<double>(places * group_channels()), by);
    pieces(used, [&](uint64_t row, uint64_t rows) {
      const size_t at = row * channels_;
      detail::normalize_channels(x + at, by.mean, by.factor, by.bias, rows, channels_, y + at);
    });
  }

  // The sums are taken about the first number of each group, which is as near to the mean as the deviation
  // is: sum u^2 - (sum u)^2 / count loses few digits then, in f64. What a mean loses as f32 is given to the
  // bias.
  void learn(const LayerCall& call, size_t n, const float* x, Used used, double count,
             const Numbers& by) const {
    const size_t per = group_channels();
    for (size_t k = 0; k < channels_; ++k) by.other[k] = count > 0 ? x[k / per * per] : 0.0f;
    sum(used, x, by.other, x, by.other, by.sums);
    for (size_t first = 0; first < channels_; first += per) {
      double total = 0, squares = 0;
      for (size_t k = first; k < first + per; ++k) total += by.sums[k], squares += by.sums[channels_ + k];
      const double off = count > 0 ? total / count : 0.0, mean = static_cast<double>(by.other[first]) + off;
      const double spread = count > 0 ? squares / count - off * off : 0.0,
                   variance = spread < 0 ? 0.0 : spread,  // NaN stays
          inverse = 1 / std::sqrt(variance + how_.epsilon);
      const auto kept = static_cast<float>(mean);
      if (call.training())
        call.saved<Statistics>()[n * groups_ + first / per] = {kept, static_cast<float>(inverse)};
      for (size_t k = first; k < first + per; ++k) {
        const double factor = weight(call, k) * inverse;
        by.mean[k] = kept;
        by.factor[k] = static_cast<float>(factor);
        by.bias[k] = static_cast<float>(bias(call, k) + (static_cast<double>(kept) - mean) * factor);
      }
    }
  }

  // With z = (x - m) i, of a group of M numbers: dx = i (w dy - sum(w dy) / M - z sum(w dy z) / M).
  // Leaves the sample's parts of dbias = sum dy and dweight = sum dy z in sums.
  void backward_sample(const LayerCall& call, size_t n, const float* x, const float* dy, float* dx) const {
    if (is_vector())
      return detail::undo_vector(x, dy, how_.affine ? call.parameter(0) : nullptr, groups_, group_channels(),
                                 call.saved<Statistics>() + n * groups_, numbers(call, n).sums, dx);
    const Used used = places_.of(call.input(), n);
    const uint64_t places = places_.count(used);
    const Numbers by = numbers(call, n);
    const size_t per = group_channels();
    const auto* kept = call.saved<Statistics>() + n * groups_;
    for (size_t k = 0; k < channels_; ++k) by.mean[k] = kept[k / per].mean;
    std::fill_n(by.other, channels_, 0.0f);
    sum(used, dy, by.other, x, by.mean, by.sums);
    slopes(call, kept, static_cast<double>(places * per), by);
    if (!dx) return;
    if (places < places_.count()) std::fill_n(dx, sample(), 0.0f);
    pieces(used, [&](uint64_t row, uint64_t rows) {
      const size_t at = row * channels_;
      detail::combine_channels(dy + at, x + at, by.factor, by.other, by.mean, by.bias, rows, channels_,
                               dx + at);
    });
  }

  // dx = factor dy + other (x - mean) + bias
  void slopes(const LayerCall& call, const Statistics* kept, double count, const Numbers& by) const {
    const size_t per = group_channels();
    for (size_t first = 0; first < channels_; first += per) {
      const double inverse = kept[first / per].inverse_deviation;
      double total = 0, along = 0;
      for (size_t k = first; k < first + per; ++k) {
        by.sums[channels_ + k] *= inverse;
        total += weight(call, k) * by.sums[k];
        along += weight(call, k) * by.sums[channels_ + k];
      }
      for (size_t k = first; k < first + per; ++k) {
        by.factor[k] = static_cast<float>(weight(call, k) * inverse);
        by.other[k] = count > 0 ? static_cast<float>(-inverse * inverse * along / count) : 0.0f;
        by.bias[k] = count > 0 ? static_cast<float>(-inverse * total / count) : 0.0f;
      }
    }
  }

  // Samples are added in their order.
  void add_up(const LayerCall& call) const {
    float *const dw = call.parameter_gradient(0), *const db = call.parameter_gradient(1);
    if (batch_ == 0 && dw) std::fill_n(dw, channels_, 0.0f);
    if (batch_ == 0 && db) std::fill_n(db, channels_, 0.0f);
    if (batch_ == 0) return;
    double* const total = numbers(call, 0).sums;
    for (size_t n = 1; n < batch_; ++n) detail::add_doubles(numbers(call, n).sums, total, 2 * channels_);
    for (size_t k = 0; k < channels_ && db; ++k) db[k] = static_cast<float>(total[k]);
    for (size_t k = 0; k < channels_ && dw; ++k) dw[k] = static_cast<float>(total[channels_ + k]);
  }

  GroupNormalizing how_;
  SamplePlaces places_;
  size_t batch_, channels_, groups_;
};

}  // namespace plait::sdk
