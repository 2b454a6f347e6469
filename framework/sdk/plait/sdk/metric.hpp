// Metrics: what a person reads about a model. States are sums, so that blocks of the data can be counted
// anywhere.
//
//   static constexpr MetricValue values[] = {{"accuracy", MetricValue::kHigher, "share of right answers"}};
//   size_t state_size(Spec prediction, Spec target) const;  // numbers; throws Error when shapes do not fit
//   void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const;  // adds one
//   void finish(std::span<const double> state, std::span<double> values) const;
//   std::string suffix() const;  // optional: what the configuration adds to the names of values ("_top5")
//
// States begin as zeros and are merged by addition. Memory: the host's.
// Threads: update and finish run on several threads at once with one instance.
#pragma once
#include <array>
#include <cstring>
#include <iterator>
#include <string>

#include "entry.hpp"
#include "tensor.hpp"

namespace plait::sdk {

struct MetricValue {
  enum Better : uint32_t { kLower = 0, kHigher = 1 };
  const char* name;  // unique within a job
  Better better;
  const char* doc;
};

namespace detail {

template <class T>
concept IsMetric = requires(const T& t, Context& c, Spec spec, Tensor tensor, std::span<double> state) {
  { t.state_size(spec, spec) } -> std::convertible_to<size_t>;
  t.update(c, tensor, tensor, state);
  t.finish(std::span<const double>(state), state);
};

template <class T>
concept NamesItself = requires(const T& t) {
  { t.suffix() } -> std::convertible_to<std::string>;
};

// How many there are is known to the compiler: the table of values is made of it.
template <class T>
concept NamesValues = !has_field_values<T>() && requires {
  requires Known<std::size(T::values)>::kIs >
  0;
  { T::values[0] } -> std::convertible_to<const MetricValue&>;
};

template <class T>
constexpr void check_metric() {
  PLAIT_SDK_CHECK_CALL(state_size, const T, "size_t state_size(Spec prediction, Spec target) const", Whole,
                       Spec, Spec);
  PLAIT_SDK_CHECK_CALL(
      update, const T,
      "void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const", void,
      Context&, Tensor, Tensor, std::span<double>);
  PLAIT_SDK_CHECK_CALL(finish, const T,
                       "void finish(std::span<const double> state, std::span<double> values) const", void,
                       std::span<const double>, std::span<double>);
  static_assert(!constant_suffix<T>(), "suffix is not: std::string suffix() const");
  PLAIT_SDK_CHECK_HOOK(suffix, const T, "std::string suffix() const", std::string);
  check_never_opened<T>();
}

template <class T>
struct MetricInstance {
  T config{};
  size_t state_size = 0;
};

template <class T>
struct MetricThunks {
  using Instance = MetricInstance<T>;

  static int create(plait_context* context, const plait_config* config, const plait_tensor_spec* prediction,
                    const plait_tensor_spec* target, uint32_t* state_size, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<Instance>();
      read_config(context, config, made->config);
      made->state_size = made->config.state_size(Spec(prediction), Spec(target));
      *state_size = static_cast<uint32_t>(made->state_size);
      *self = made.release();
    });
  }
  static int update(const void* self, plait_context* context, const plait_tensor* prediction,
                    const plait_tensor* target, double* state) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& metric = as<Instance>(self);
      metric.config.update(c, Tensor(prediction), Tensor(target),
                           std::span<double>(state, metric.state_size));
    });
  }
  static int suffix(plait_context* context, const plait_config* config, char* text,
                    uint64_t capacity) noexcept {
    return guard(context, [&] {
      T metric{};
      read_config(context, config, metric);
      const std::string made = metric.suffix();
      if (made.size() >= capacity) throw Error("suffix ", made, " is longer than ", capacity - 1, " bytes");
      std::memcpy(text, made.c_str(), made.size() + 1);
    });
  }
  static int finish(const void* self, plait_context* context, const double* state, double* values) noexcept {
    return guard(context, [&] {
      const auto& metric = as<Instance>(self);
      metric.config.finish(std::span<const double>(state, metric.state_size),
                           std::span<double>(values, std::size(T::values)));
    });
  }
};

template <class T>
const plait_metric_ops* metric_ops() {
  constexpr size_t kCount = std::size(T::values);
  static const auto values = [] {
    std::array<plait_metric_value, kCount> list{};
    for (size_t i = 0; i < kCount; ++i) {
      list[i] = {sizeof(plait_metric_value), T::values[i].better, T::values[i].name, T::values[i].doc};
    }
    return list;
  }();
  static const auto pointers = [] {
    std::array<const plait_metric_value*, kCount> list{};
    for (size_t i = 0; i < kCount; ++i) list[i] = &values[i];
    return list;
  }();
  using Thunks = MetricThunks<T>;
  static const plait_metric_ops ops = [] {
    plait_metric_ops table{};
    table.struct_size = sizeof table;
    table.n_values = kCount;
    table.values = pointers.data();
    table.create = &Thunks::create;
    table.destroy = &destroy_thunk<typename Thunks::Instance>;
    table.update = &Thunks::update;
    table.finish = &Thunks::finish;
    if constexpr (NamesItself<T>) table.suffix = &Thunks::suffix;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A metric type and its implementation.
template <class T>
Entry metric(const char* id) {
  static_assert(
      detail::NamesValues<T>,
      "a metric needs, public: static constexpr MetricValue values[] = {...}, with one value or more");
  static_assert(
      detail::IsMetric<T>,
      "a metric needs, all const: size_t state_size(Spec prediction, Spec target), void update(Context&, "
      "Tensor prediction, Tensor target, std::span<double> state), void finish(std::span<const double> "
      "state, std::span<double> values)");
  detail::check_metric<T>();
  if constexpr (detail::NamesValues<T> && detail::IsMetric<T>) {
    return detail::make_entry<T>("metric", id, nullptr, kCpu, detail::metric_ops<T>());
  }
  return {};  // what is wanted has been said, and nothing more is
}

}  // namespace plait::sdk
