// Views of tensors. They borrow: valid for the call that gave them, cheap to copy.
//
// Shapes: activations are dense, last axis fastest: [N, C], [N, W, C], [N, H, W, C], [N, D, H, W, C].
// A negative axis counts from the end: shape(-1) is the number of channels.
// Fails with: kInvalid when an axis does not exist or data<T>() asks for another element type.
// Threads: [any]
#pragma once
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "error.hpp"

namespace plait::sdk {

using In = std::span<const float>;
using Out = std::span<float>;

enum class DType : uint32_t {
  f32 = PLAIT_F32,
  bf16 = PLAIT_BF16,
  f16 = PLAIT_F16,
  f64 = PLAIT_F64,
  u8 = PLAIT_U8,
  i32 = PLAIT_I32,
  i64 = PLAIT_I64
};

inline const char* name_of(DType type) {
  constexpr const char* kNames[] = {"?", "f32", "bf16", "f16", "f64", "u8", "i32", "i64"};
  const auto index = static_cast<uint32_t>(type);
  return kNames[index < 8 ? index : 0];
}

// Bytes of one element.
inline size_t size_of(DType type) {
  constexpr size_t kSizes[] = {0, 4, 2, 2, 8, 1, 4, 8};
  const auto index = static_cast<uint32_t>(type);
  return kSizes[index < 8 ? index : 0];
}

namespace detail {

// bf16 and f16 are seen as their 16 bits.
template <class V>
constexpr bool holds(DType type) {
  using E = std::remove_cv_t<V>;
  if constexpr (std::is_same_v<E, float>) return type == DType::f32;
  if constexpr (std::is_same_v<E, double>) return type == DType::f64;
  if constexpr (std::is_same_v<E, uint16_t>) return type == DType::bf16 || type == DType::f16;
  if constexpr (std::is_same_v<E, uint8_t>) return type == DType::u8;
  if constexpr (std::is_same_v<E, int32_t>) return type == DType::i32;
  if constexpr (std::is_same_v<E, int64_t>) return type == DType::i64;
  return false;
}

// What Spec and Tensor share: element type and extents.
template <class Derived>
class Shaped {
 public:
  explicit operator bool() const { return self().c() != nullptr; }
  int rank() const { return self().c()->rank; }
  std::span<const int64_t> shape() const { return {self().c()->shape, static_cast<size_t>(rank())}; }
  int64_t shape(int axis) const {
    const int place = axis < 0 ? axis + rank() : axis;
    if (place < 0 || place >= rank()) throw Error("axis ", axis, " of ", self(), " does not exist");
    return self().c()->shape[place];
  }
  size_t size() const {  // elements
    size_t product = 1;
    for (const int64_t extent : shape()) product *= static_cast<size_t>(extent);
    return product;
  }
  size_t bytes() const { return size() * size_of(dtype()); }
  DType dtype() const { return static_cast<DType>(self().c()->dtype); }
  // Axis whose valid extent differs from sample to sample, or -1.
  int variable_axis() const { return self().c()->variable_axis; }
  // A second such axis after it, or -1. Only types that say `two_axes` meet one.
  int second_axis() const {
    const auto* const raw = self().c();
    return PLAIT_HAS(raw, second_axis) ? raw->second_axis : -1;
  }
  bool varies(int axis) const { return axis >= 0 && (axis == variable_axis() || axis == second_axis()); }
  std::string_view name() const { return self().c()->name ? self().c()->name : ""; }
  void append_to(std::string& to) const {
    if (!*this) return append(to, "nothing");
    append(to, name_of(dtype()));
    append(to, shape());
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace detail

// Element type and extents without data.
class Spec : public detail::Shaped<Spec> {
 public:
  Spec() = default;
  explicit Spec(const plait_tensor_spec* spec) : c_(spec) {}
  const plait_tensor_spec* c() const { return c_; }

 private:
  const plait_tensor_spec* c_ = nullptr;
};

// Borrowed view of dense memory. Inputs must not be written. False when the host did not ask for it (a
// gradient).
class Tensor : public detail::Shaped<Tensor> {
 public:
  Tensor() = default;
  explicit Tensor(const plait_tensor* tensor) : c_(tensor) {}
  const plait_tensor* c() const { return c_; }

  // All elements. float f32, double f64, uint16_t bf16 and f16, uint8_t u8, int32_t i32, int64_t i64.
  template <class V>
  std::span<V> data() const {
    if (!detail::holds<V>(dtype())) throw Error("tensor ", *this, " holds other elements than asked for");
    return {static_cast<V*>(c_->data), size()};
  }
  Out f32() const { return data<float>(); }
  // Sample n of a batch, n < shape(0).
  template <class V>
  std::span<V> sample(size_t n) const {
    const size_t stride = size() / static_cast<size_t>(shape(0));
    return data<V>().subspan(n * stride, stride);
  }
  void* raw() const { return c_->data; }

  // Valid extents along variable_axis(), one per sample; empty when all are full.
  std::span<const int32_t> lengths() const {
    if (!c_->lengths) return {};
    return {c_->lengths, static_cast<size_t>(shape(0))};
  }
  std::span<const int32_t> second_lengths() const {
    if (!PLAIT_HAS(c_, second_lengths)) return {};
    return {c_->second_lengths, static_cast<size_t>(shape(0))};
  }
  // How far sample n of a batch reaches along `axis`, in elements: its valid extent, or all of the axis.
  int64_t extent(size_t n, int axis) const {
    const auto valid = axis == variable_axis() ? lengths()
                       : axis == second_axis() ? second_lengths()
                                               : std::span<const int32_t>();
    return valid.empty() ? shape(axis) : valid[n];
  }
  // Valid extent of sample n along variable_axis(), or along axis 1 when no axis is variable.
  int64_t length(size_t n) const {
    if (c_->lengths) return c_->lengths[n];
    return shape(variable_axis() < 0 ? 1 : variable_axis());
  }

 private:
  const plait_tensor* c_ = nullptr;
};

// A spec that owns its name and extents: parts of samples, outputs of layers.
struct PartSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  int variable_axis = -1;
  int second_axis = -1;  // after variable_axis

  PartSpec() = default;
  PartSpec(std::string_view name_, DType dtype_, std::vector<int64_t> shape_, int variable_axis_ = -1,
           int second_axis_ = -1)
      : name(name_),
        dtype(dtype_),
        shape(std::move(shape_)),
        variable_axis(variable_axis_),
        second_axis(second_axis_) {}
  explicit PartSpec(Spec spec)
      : name(spec.name()),
        dtype(spec.dtype()),
        shape(spec.shape().begin(), spec.shape().end()),
        variable_axis(spec.variable_axis()),
        second_axis(spec.second_axis()) {}

  size_t size() const {
    size_t product = 1;
    for (const int64_t extent : shape) product *= static_cast<size_t>(extent);
    return product;
  }
  size_t bytes() const { return size() * size_of(dtype); }
  // The C form; borrows the name.
  plait_tensor_spec c() const {
    if (shape.size() > PLAIT_MAX_RANK) throw Error("a tensor has at most ", PLAIT_MAX_RANK, " axes");
    plait_tensor_spec spec{};
    spec.struct_size = sizeof spec;
    spec.dtype = static_cast<uint32_t>(dtype);
    spec.rank = static_cast<int32_t>(shape.size());
    spec.variable_axis = variable_axis;
    spec.second_axis = second_axis < 0 ? 0 : second_axis;
    for (size_t i = 0; i < shape.size(); ++i) spec.shape[i] = shape[i];
    spec.name = name.empty() ? nullptr : name.c_str();
    return spec;
  }
};

}  // namespace plait::sdk
