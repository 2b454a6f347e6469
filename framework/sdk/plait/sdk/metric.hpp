// Metrics: what a person reads about a model. States are sums, so that blocks of the data can be counted
// anywhere; what no sum can say is kept as rows.
//
//   static constexpr MetricValue values[] = {{"accuracy", MetricValue::kHigher, "share of right answers"}};
//   size_t state_size(Spec prediction, Spec target) const;  // numbers; throws Error when shapes do not fit
//   void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const;  // adds one
//   void finish(std::span<const double> state, std::span<double> values) const;
//   std::string suffix() const;  // optional: what the configuration adds to the names of values ("_top5")
//
// In place of values and suffix, where configuration, shapes and classes decide what there is:
//   void name_values(MetricValues& v) const;  // pure; one or more, at most 4096
// What it names is reported below the name of the metric: "class_accuracy.cat".
//
// In place of finish, or of state_size, update and finish, for what no sum can say (an area under a curve):
//   size_t row_size(Spec prediction, Spec target) const;  // numbers of a row; throws as state_size
//   void update_rows(Context& c, Tensor prediction, Tensor target, RowsOut& rows) const;  // appends
//   void finish_rows(std::span<const double> state, RowsIn rows, std::span<double> values) const;
// The host keeps the rows of all records, in their order, and brings them together on one rank.
//
// On a device, besides (a struct of its own with the fields of the type, given to implementation()):
// state_size and update alone. What update is given is then memory of the device, the state too, and it
// queues its work; the state and its numbers are those of the type. Not of metrics that keep rows.
//
// States begin as zeros and are merged by addition. Memory: the host's; rows are bounded, see evaluate.h.
// Threads: update, update_rows and finish run on several threads at once with one instance.
#pragma once
#include <array>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

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

// Letters, digits, "_", "-" and "." stay; any other character, of one byte or several, becomes "_".
inline std::string name_in_reports(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool fits = letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    const bool continues = (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
    if (!continues) name += fits ? c : '_';
  }
  return name;
}

}  // namespace detail

// Where a metric is, and what it names.
class MetricValues {
 public:
  using ChangedByHook = void;
  explicit MetricValues(const plait_metric_request* request) : c_(request) {}

  Spec prediction() const { return Spec(c_->prediction); }
  Spec target() const { return Spec(c_->target); }
  // Of the source; 0: it does not say. How many values there are must not depend on it, since a source need
  // not know: take the places of the prediction.
  size_t classes() const { return c_->n_classes; }
  // Names of classes 0 .. count - 1 for values: as the source calls them, with "_" for what a report's names
  // do not have, or their numbers. All are different: where two would not be, each has its number before it.
  std::vector<std::string> class_names(size_t count) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) names.push_back(class_name(i));
    if (std::set<std::string>(names.begin(), names.end()).size() == count) return names;
    for (size_t i = 0; i < count; ++i) names[i] = std::to_string(i) + "_" + names[i];
    return names;
  }

  // The next value; finish writes them in this order. A name of its own among them, of letters, digits, "_",
  // "-" and "."; "": it is reported under the name of the metric alone. The first one is what picks the best
  // weights where the metric does.
  void value(std::string_view name, MetricValue::Better better, std::string_view doc) {
    made_.push_back({std::string(name), better, std::string(doc)});
  }

  // From here on for the SDK.
  struct Made {
    std::string name;
    MetricValue::Better better;
    std::string doc;
  };
  const std::deque<Made>& made() const { return made_; }

 private:
  std::string class_name(size_t i) const {
    const bool named = c_->class_names != nullptr && i < c_->n_classes && c_->class_names[i] != nullptr;
    const std::string name = named ? detail::name_in_reports(c_->class_names[i]) : "";
    return name.empty() ? std::to_string(i) : name;
  }
  const plait_metric_request* c_;
  std::deque<Made> made_;
};

// Takes the rows of a batch, in the order of its records.
class RowsOut {
 public:
  using ChangedByHook = void;
  RowsOut(const plait_number_rows* rows, size_t width) : c_(rows), width_(width) {}
  size_t width() const { return width_; }  // numbers of a row
  // One row or more. Fails with: kInvalid when the numbers are no whole rows; what the host says where there
  // is no memory left.
  void append(std::span<const double> numbers) {
    if (numbers.size() % width_ != 0)
      throw Error("got ", numbers.size(), " numbers, which are no rows of ", width_);
    if (c_->append(c_, static_cast<int64_t>(numbers.size() / width_), numbers.data()) != PLAIT_OK)
      throw Error(ErrorCode::kMemory, "the rows were refused");  // the host has said why
  }
  void append(std::initializer_list<double> row) { append(std::span(row.begin(), row.size())); }

 private:
  const plait_number_rows* c_;
  size_t width_;
};

// All rows of an evaluation, in the order of the records.
class RowsIn {
 public:
  RowsIn(const double* numbers, size_t count, size_t width)
      : numbers_(numbers, count * width), width_(width) {}
  size_t size() const { return numbers_.size() / width_; }
  size_t width() const { return width_; }
  std::span<const double> operator[](size_t i) const { return numbers_.subspan(i * width_, width_); }
  std::span<const double> numbers() const { return numbers_; }

 private:
  std::span<const double> numbers_;
  size_t width_;
};

namespace detail {

template <class T>
concept CountsState = requires(const T& t, Context& c, Spec spec, Tensor tensor, std::span<double> state) {
  { t.state_size(spec, spec) } -> std::convertible_to<size_t>;
  t.update(c, tensor, tensor, state);
};
template <class T>
concept FinishesState = requires(const T& t, std::span<double> state) {
  t.finish(std::span<const double>(state), state);
};
template <class T>
concept KeepsRows = requires(const T& t, Context& c, Spec spec, Tensor tensor, RowsOut& rows, RowsIn all,
                             std::span<double> values) {
  { t.row_size(spec, spec) } -> std::convertible_to<size_t>;
  t.update_rows(c, tensor, tensor, rows);
  t.finish_rows(std::span<const double>(values), all, values);
};
template <class T>
concept IsMetric = KeepsRows<T> ||(CountsState<T>&& FinishesState<T>);

template <class T>
concept NamesItself = requires(const T& t) {
  { t.suffix() } -> std::convertible_to<std::string>;
};
template <class T>
concept NamesByRequest = requires(const T& t, MetricValues& v) {
  t.name_values(v);
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
  PLAIT_SDK_CHECK_HOOK(state_size, const T, "size_t state_size(Spec prediction, Spec target) const", Whole,
                       Spec, Spec);
  PLAIT_SDK_CHECK_HOOK(
      update, const T,
      "void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const", void,
      Context&, Tensor, Tensor, std::span<double>);
  PLAIT_SDK_CHECK_HOOK(finish, const T,
                       "void finish(std::span<const double> state, std::span<double> values) const", void,
                       std::span<const double>, std::span<double>);
  static_assert(!constant_suffix<T>(), "suffix is not: std::string suffix() const");
  PLAIT_SDK_CHECK_HOOK(suffix, const T, "std::string suffix() const", std::string);
  PLAIT_SDK_CHECK_HOOK(name_values, const T, "void name_values(MetricValues& v) const", void, MetricValues&);
  static_assert(!NamesByRequest<T> || !has_values<T>() || has_field_values<T>(),
                "values are never read beside name_values");
  static_assert(!NamesByRequest<T> || !names_suffix<T>(), "suffix is never called beside name_values");
  constexpr bool kAny = names_row_size<T>() || names_update_rows<T>() || names_finish_rows<T>();
  static_assert(!kAny || (names_row_size<T>() && names_update_rows<T>() && names_finish_rows<T>()),
                "row_size, update_rows and finish_rows are not all there: rows need the three");
  PLAIT_SDK_CHECK_HOOK(row_size, const T, "size_t row_size(Spec prediction, Spec target) const", Whole, Spec,
                       Spec);
  PLAIT_SDK_CHECK_HOOK(update_rows, const T,
                       "void update_rows(Context& c, Tensor prediction, Tensor target, RowsOut& rows) const",
                       void, Context&, Tensor, Tensor, RowsOut&);
  PLAIT_SDK_CHECK_HOOK(
      finish_rows, const T,
      "void finish_rows(std::span<const double> state, RowsIn rows, std::span<double> values) const", void,
      std::span<const double>, RowsIn, std::span<double>);
  static_assert(!KeepsRows<T> || !names_finish<T>(), "finish is never called beside finish_rows");
  static_assert(!KeepsRows<T> || names_state_size<T>() == names_update<T>(),
                "state_size and update are not both: rows need neither, or both");
  static_assert(
      IsMetric<T>,
      "a metric needs, all const: size_t state_size(Spec prediction, Spec target), void update(Context&, "
      "Tensor prediction, Tensor target, std::span<double> state), void finish(std::span<const double> "
      "state, std::span<double> values); or row_size, update_rows and finish_rows");
  check_never_opened<T>();
}

template <class T>
struct MetricInstance {
  T config{};
  size_t state_size = 0;
  size_t row_size = 0;  // 0: keeps no rows
  size_t n_values = 0;
};

template <class T>
struct MetricThunks {
  using Instance = MetricInstance<T>;

  static int create(plait_context* context, const plait_config* config, const plait_tensor_spec* prediction,
                    const plait_tensor_spec* target, uint32_t* state_size, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<Instance>();
      read_config(context, config, made->config);
      const T& metric = made->config;
      if constexpr (CountsState<T>) made->state_size = metric.state_size(Spec(prediction), Spec(target));
      if constexpr (KeepsRows<T>) {
        made->row_size = metric.row_size(Spec(prediction), Spec(target));
        if (made->row_size < 1 || made->row_size > kMostRow)
          throw Error("a row has ", made->row_size, " numbers, wanted 1 .. ", kMostRow);
      }
      if constexpr (NamesByRequest<T>)
        made->n_values = named_without_classes(metric, prediction, target).made().size();
      else
        made->n_values = std::size(T::values);
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
                           std::span<double>(values, metric.n_values));
    });
  }
  static int describe(plait_context* context, const plait_metric_request* request,
                      const plait_metric_builder* builder) noexcept {
    return guard(context, [&] {
      T metric{};
      read_config(context, request->config, metric);
      MetricValues named(request);
      std::as_const(metric).name_values(named);
      // finish has room for as many as there are without classes.
      const size_t without =
          named_without_classes(metric, request->prediction, request->target).made().size();
      if (named.made().size() != without)
        throw Error("name_values names ", named.made().size(), " values where the source has ",
                    request->n_classes, " classes, and ", without,
                    " where it does not say: wanted as many, whatever the source");
      for (const MetricValues::Made& made : named.made()) {
        const plait_metric_value value{sizeof value, made.better, made.name.c_str(), made.doc.c_str()};
        if (builder->value(builder, &value) != PLAIT_OK)
          throw Error("value \"", made.name, "\" is not acceptable to the host");
      }
    });
  }
  static int row_size(const void* self, plait_context* context, uint32_t* numbers) noexcept {
    return guard(context, [&] { *numbers = static_cast<uint32_t>(as<Instance>(self).row_size); });
  }
  static int update_rows(const void* self, plait_context* context, const plait_tensor* prediction,
                         const plait_tensor* target, const plait_number_rows* rows) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& metric = as<Instance>(self);
      RowsOut out(rows, metric.row_size);
      metric.config.update_rows(c, Tensor(prediction), Tensor(target), out);
    });
  }
  static int finish_rows(const void* self, plait_context* context, const double* state, int64_t count,
                         const double* rows, double* values) noexcept {
    return guard(context, [&] {
      const auto& metric = as<Instance>(self);
      metric.config.finish_rows(std::span<const double>(state, metric.state_size),
                                RowsIn(rows, static_cast<size_t>(count), metric.row_size),
                                std::span<double>(values, metric.n_values));
    });
  }

 private:
  static constexpr size_t kMostRow = 65536;

  static MetricValues named_without_classes(const T& metric, const plait_tensor_spec* prediction,
                                            const plait_tensor_spec* target) {
    const plait_metric_request request{sizeof request, 0, nullptr, prediction, target, nullptr};
    MetricValues named(&request);
    metric.name_values(named);
    return named;
  }
};

// Of an implementation for a device.
template <class T>
constexpr void check_device_metric() {
  PLAIT_SDK_CHECK_HOOK(state_size, const T, "size_t state_size(Spec prediction, Spec target) const", Whole,
                       Spec, Spec);
  PLAIT_SDK_CHECK_HOOK(
      update, const T,
      "void update(Context& c, Tensor prediction, Tensor target, std::span<double> state) const", void,
      Context&, Tensor, Tensor, std::span<double>);
  static_assert(
      CountsState<T>,
      "a metric on a device needs, both const: size_t state_size(Spec prediction, Spec target), void "
      "update(Context&, Tensor prediction, Tensor target, std::span<double> state)");
  check_never_opened<T>();
}

template <class T>
struct DeviceMetricThunks {
  static int create(plait_context* context, const plait_config* config, const plait_tensor_spec* prediction,
                    const plait_tensor_spec* target, uint32_t* state_size, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<MetricInstance<T>>();
      read_config(context, config, made->config);
      made->state_size = std::as_const(made->config).state_size(Spec(prediction), Spec(target));
      *state_size = static_cast<uint32_t>(made->state_size);
      *self = made.release();
    });
  }
};

template <class T>
const plait_metric_ops* device_metric_ops() {
  static const plait_metric_ops ops = [] {
    plait_metric_ops table{};
    table.struct_size = sizeof table;
    if constexpr (CountsState<T>) {
      table.create = &DeviceMetricThunks<T>::create;
      table.destroy = &destroy_thunk<MetricInstance<T>>;
      table.update = &MetricThunks<T>::update;
    }
    return table;
  }();
  return &ops;
}

// The values of a type that names them once for all.
template <class T>
void add_values(plait_metric_ops& table) {
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
  table.n_values = kCount;
  table.values = pointers.data();
}

template <class T>
const plait_metric_ops* metric_ops() {
  using Thunks = MetricThunks<T>;
  static const plait_metric_ops ops = [] {
    plait_metric_ops table{};
    table.struct_size = sizeof table;
    table.create = &Thunks::create;
    table.destroy = &destroy_thunk<typename Thunks::Instance>;
    if constexpr (NamesByRequest<T>)
      table.describe = &Thunks::describe;
    else
      add_values<T>(table);
    if constexpr (NamesItself<T>) table.suffix = &Thunks::suffix;
    if constexpr (CountsState<T>) table.update = &Thunks::update;
    if constexpr (KeepsRows<T>) {
      table.row_size = &Thunks::row_size;
      table.update_rows = &Thunks::update_rows;
      table.finish_rows = &Thunks::finish_rows;
    } else {
      table.finish = &Thunks::finish;
    }
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A metric type and its implementation.
template <class T>
Entry metric(const char* id) {
  static_assert(detail::names_name_values<T>() || detail::NamesValues<T>,
                "a metric needs, public: static constexpr MetricValue values[] = {...}, with one value or "
                "more; or void name_values(MetricValues& v) const");
  detail::check_metric<T>();
  if constexpr ((detail::NamesByRequest<T> || detail::NamesValues<T>)&&detail::IsMetric<T>) {
    return detail::make_entry<T>("metric", id, nullptr, kCpu, detail::metric_ops<T>());
  }
  return {};  // what is wanted has been said, and nothing more is
}

}  // namespace plait::sdk
