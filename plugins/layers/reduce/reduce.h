// reduce: which axes, and the walk over a sample.
#pragma once
#include <plait/sdk.hpp>

#include <array>
#include <vector>

namespace layers {

using namespace plait::sdk;

// The axes of a sample, 1 to the last, that are summed up, and the lines along the last axis.
class ReducedAxes {
 public:
  // axes: of x, negative ones count from the end; none: all but the batch.
  // Fails with: kInvalid when an axis does not exist or is there twice, or extents vary along one that is
  // kept.
  ReducedAxes(Spec x, std::span<const int64_t> axes)
      : is_reduced_(static_cast<size_t>(x.rank()), axes.empty()) {
    if (x.dtype() != DType::f32 || x.rank() < 2) throw Error("input is ", x, ", wanted f32 [N, ...]");
    for (const int64_t axis : axes) {
      const int64_t at = axis < 0 ? axis + x.rank() : axis;
      if (at < 1 || at >= x.rank())
        throw Error("axis ", axis, " of ", x, " cannot be reduced: wanted 1 to ", x.rank() - 1, ", or -1 to ",
                    1 - x.rank());
      if (is_reduced_[static_cast<size_t>(at)]) throw Error("axis ", axis, " of ", x, " is named twice");
      is_reduced_[static_cast<size_t>(at)] = true;
    }
    is_reduced_[0] = false;
    if (x.variable_axis() > 1 || (x.variable_axis() == 1 && !is_reduced_[1]))
      throw Error("axis ", x.variable_axis(),
                  " of the input varies, wanted fixed extents, or axis 1 among the reduced");
    measure(x.shape());
  }

  bool is_reduced(size_t axis) const { return is_reduced_[axis]; }
  bool last_is_reduced() const { return is_reduced_.back(); }
  size_t inputs() const { return lines_ * length_; }  // of a sample
  size_t outputs() const { return outputs_; }         // of a sample
  size_t length() const { return length_; }           // of a line
  size_t terms() const { return terms_; }             // of an output, where no extent is cut short

  // body(place of the line in x, place of its first number in y), for the lines of which axis 1 is below
  // `valid`. Along the last axis y has a number for each of the line, or one for all.
  template <class Body>
  void each_line(size_t valid, const Body& body) const {
    if (rank() == 2) return body(size_t{0}, size_t{0});
    std::array<size_t, PLAIT_MAX_RANK> at{};
    const size_t lines = lines_ / extents_[1] * valid;
    for (size_t line = 0, out = 0; line < lines; ++line) {
      body(line * length_, out);
      for (size_t a = rank() - 1; a-- > 1;) {
        out += steps_[a];
        if (++at[a] < extents_[a]) break;
        out -= steps_[a] * extents_[a];
        at[a] = 0;
      }
    }
  }
  // Of a line of a rank-2 input as many numbers are valid as axis 1 has; of others all.
  size_t valid_of_line(size_t valid) const { return rank() == 2 ? valid : length_; }
  // Terms of an output where axis 1 is cut short.
  size_t terms(size_t valid) const {
    return is_reduced_[1] && extents_[1] > 0 ? terms_ / extents_[1] * valid : terms_;
  }

 private:
  size_t rank() const { return is_reduced_.size(); }
  void measure(std::span<const int64_t> shape) {
    for (size_t a = rank(); a-- > 1;) {
      extents_[a] = static_cast<size_t>(shape[a]);
      steps_[a] = is_reduced_[a] ? 0 : outputs_;
      (is_reduced_[a] ? terms_ : outputs_) *= extents_[a];
    }
    length_ = extents_[rank() - 1];
    for (size_t a = 1; a + 1 < rank(); ++a) lines_ *= extents_[a];
  }

  std::vector<bool> is_reduced_;
  std::array<size_t, PLAIT_MAX_RANK> extents_{}, steps_{};  // steps in y
  size_t lines_ = 1, length_ = 1, outputs_ = 1, terms_ = 1;
};

}  // namespace layers
