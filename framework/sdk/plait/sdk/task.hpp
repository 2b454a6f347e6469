// Tasks: the map function of a stage. Records go in; out come pairs of a key and a value, or arrays.
//
// Pairs:
//   static constexpr Value emits = Value::kI64;
//   static constexpr const char* combiner = "acme.partial_sum";  // optional: where a file names
//       // neither combiner nor reducer
//   static constexpr const char* reducer = "acme.sum";  // optional: where a file names none
//   void infer(const Parts& parts) const;  // optional: fails where records of these parts are not for it
//   void open(Context& c, const Parts& parts);  // optional (or without parts)
//   void map(Context& c, const Records& records, Emitter& out) const;
//
// Arrays (accumulators.hpp):
//   void infer(const Parts& parts, Accumulators& a) const;  // declares them; fails as above
//   void open(...);  // as above
//   void map(Context& c, const Records& records, Accumulated& out) const;
//   bool finish(Context& c, Pass& pass) const;  // optional: makes outputs, or state for another pass (true)
//
// map is a pure function: what it emits depends on the records alone, not on how they are cut into calls, nor
// on other calls; sums of a split may depend on the cut in their last bits, which is the same in every run.
// It may be called again, elsewhere, for the same records.
// Threads: map runs on several threads at once with one instance.
#pragma once
#include <plait/task_stage.h>

#include <optional>

#include "accumulators.hpp"
#include "keyed.hpp"
#include "parts.hpp"

namespace plait::sdk {

// In open: what the stage allows, for a task that can say beforehand that it is not enough; nothing where the
// host does not say. records: of a pass, bad ones among them; 0: not known before another stage has run.
// passes: the most that may be asked for.
inline std::optional<plait_task_stage> stage_of(const Context& c) {
  const auto* found = c.extension<plait_task_stage>(PLAIT_EXTENSION_TASK_STAGE);
  if (!PLAIT_HAS(found, passes)) return std::nullopt;
  return *found;
}

// Some records of the stage's input, in order: each part is [size(), ...], and a variable axis counts with N.
class Records {
 public:
  explicit Records(const plait_task_call* call) : c_(call) {}
  // Number of the first one in the stage's input.
  int64_t first() const { return c_->first; }
  size_t size() const { return static_cast<size_t>(c_->count); }
  // The part of that name; fails when there is none.
  Tensor part(std::string_view name) const {
    for (uint32_t i = 0; i < c_->n_parts; ++i)
      if (c_->parts[i]->name && name == c_->parts[i]->name) return Tensor(c_->parts[i]);
    throw Error("the records have no part \"", name, "\"");
  }
  size_t n_parts() const { return c_->n_parts; }
  Tensor part(size_t place) const { return Tensor(c_->parts[place]); }

 private:
  const plait_task_call* c_;
};

namespace detail {

template <class T>
concept MapsRecords = requires(const T& t, Context& c, const Records& records, Emitter& out) {
  t.map(c, records, out);
};
template <class T>
concept TakesAccumulated = requires(const T& t, Context& c, const Records& records, Accumulated& out) {
  t.map(c, records, out);
};
template <class T>
concept DeclaresAccumulators = requires(const T& t, const Parts& parts, Accumulators& a) {
  t.infer(parts, a);
};
template <class T>
concept Finishes = requires(const T& t, Context& c, Pass& pass) {
  { t.finish(c, pass) } -> std::same_as<bool>;
};
template <class T>
concept SaysWhatItEmits = !has_field_emits<T>() && std::is_same_v<typename Known<T::emits>::type, Value>;
// Where a map takes anything, what it emits decides.
template <class T>
concept Accumulates = TakesAccumulated<T> && !SaysWhatItEmits<T>;
// Also where its map or infer is not right.
template <class T>
concept MeansArrays = !SaysWhatItEmits<T> && (TakesAccumulated<T> || DeclaresAccumulators<T>);
template <class T>
concept NamesCombiner = !has_field_combiner<T>() && Known<(std::string_view(T::combiner).size() > 0)>::kIs;
template <class T>
concept NamesReducer = !has_field_reducer<T>() && Known<(std::string_view(T::reducer).size() > 0)>::kIs;
template <class T>
concept ChecksParts = requires(const T& t, const Parts& parts) {
  t.infer(parts);
};
template <class T>
concept OpensForRecords = requires(T& t, Context& c, const Parts& parts) {
  t.open(c, parts);
};

template <class T>
constexpr const char* default_combiner() {
  if constexpr (NamesCombiner<T>)
    return T::combiner;
  else
    return nullptr;
}
template <class T>
constexpr const char* default_reducer() {
  if constexpr (NamesReducer<T>)
    return T::reducer;
  else
    return nullptr;
}

template <class T>
constexpr void check_task() {
  static_assert(!has_combiner<T>() || NamesCombiner<T>,
                "combiner is not: static constexpr const char* combiner = an id, and public");
  static_assert(!has_reducer<T>() || NamesReducer<T>,
                "reducer is not: static constexpr const char* reducer = an id, and public");
  if constexpr (MeansArrays<T>) {
    PLAIT_SDK_CHECK_CALL(map, const T, "void map(Context& c, const Records& records, Accumulated& out) const",
                         void, Context&, const Records&, Accumulated&);
    PLAIT_SDK_CHECK_CALL(infer, const T, "void infer(const Parts& parts, Accumulators& a) const", void,
                         const Parts&, Accumulators&);
    PLAIT_SDK_CHECK_HOOK(finish, const T, "bool finish(Context& c, Pass& pass) const", bool, Context&, Pass&);
    static_assert(!ChecksParts<T>, "infer is there twice, one of them is never called: with Accumulators&");
    static_assert(!has_combiner<T>() && !has_reducer<T>(),
                  "combiner and reducer are of pairs, and never called: the task fills accumulators");
  } else {
    PLAIT_SDK_CHECK_HOOK(map, const T, "void map(Context& c, const Records& records, Emitter& out) const",
                         void, Context&, const Records&, Emitter&);
    PLAIT_SDK_CHECK_HOOK(infer, const T, "void infer(const Parts& parts) const", void, const Parts&);
    static_assert(!names_finish<T>(), "finish is never called: the task emits pairs");
  }
  static_assert(!names_open<T>() || OpensForRecords<T> || HasOpen<T>,
                "open is not: void open(Context& c, const Parts& parts), nor void open(Context& c)");
  static_assert(!(OpensForRecords<T> && HasOpen<T>),
                "open is there twice, one of them is never called: with const Parts& or without");
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c, const Parts& parts)", void, Context&, const Parts&);
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c)", void, Context&);
}

inline void tell(const Accumulators& declared, const plait_task_builder* builder) {
  if (!PLAIT_HAS(builder, output)) throw Error("this host takes pairs from tasks, and no accumulators");
  const auto taken = [](int status, const PartSpec& spec) {
    if (status != PLAIT_OK) throw Error("\"", spec.name, "\" is not acceptable to the host");
  };
  const auto each = [&](const std::vector<PartSpec>& specs, auto take) {
    for (const PartSpec& spec : specs) {
      const plait_tensor_spec c = spec.c();
      taken(take(builder, &c), spec);
    }
  };
  for (const Accumulators::Accumulator& one : declared.accumulators()) {
    const plait_tensor_spec c = one.spec.c();
    taken(builder->accumulator(builder, one.rule, &c), one.spec);
  }
  each(declared.states(), builder->state);
  each(declared.outputs(), builder->output);
}

template <class T>
struct TaskThunks {
  static int infer(plait_context* context, const plait_config* config, uint32_t n_parts,
                   const plait_tensor_spec* const* specs, const plait_task_builder* builder) noexcept {
    return guard(context, [&] {
      T task{};
      read_config(context, config, task);
      if constexpr (Accumulates<T>) {
        Accumulators declared;
        std::as_const(task).infer(Parts(n_parts, specs), declared);
        tell(declared, builder);
      } else {
        infer_pairs(task, Parts(n_parts, specs), builder);
      }
    });
  }
  static void infer_pairs(const T& task, const Parts& parts, const plait_task_builder* builder) {
    if constexpr (ChecksParts<T>) task.infer(parts);
    if (builder->keyed(builder, static_cast<uint32_t>(T::emits)) != PLAIT_OK)
      throw Error("the host does not take values of kind ", name_of(T::emits));
  }
  static int create(plait_context* context, const plait_config* config, uint32_t n_parts,
                    const plait_tensor_spec* const* specs, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<T>();
      read_config(context, config, *made);
      [[maybe_unused]] Context c(context);
      if constexpr (OpensForRecords<T>)
        made->open(c, Parts(n_parts, specs));
      else if constexpr (HasOpen<T>)
        made->open(c);
      *self = made.release();
    });
  }
  static int map(const void* self, plait_context* context, const plait_task_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      if constexpr (Accumulates<T>) {
        Accumulated out(call);
        as<T>(self).map(c, Records(call), out);
      } else {
        Emitter out(call->out);
        as<T>(self).map(c, Records(call), out);
      }
    });
  }
  static int finish(const void* self, plait_context* context, plait_task_finish* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      Pass pass(call);
      call->another = as<T>(self).finish(c, pass) ? 1 : 0;
    });
  }
};

template <class T>
const plait_task_rules* task_rules() {
  static constexpr plait_task_rules rules{sizeof(plait_task_rules),
                                          0,
                                          default_combiner<T>(),
                                          default_reducer<T>(),
                                          &TaskThunks<T>::infer,
                                          Accumulates<T> ? uint32_t{PLAIT_TASK_ACCUMULATES} : 0,
                                          0};
  return &rules;
}
template <class T>
const plait_task_ops* task_ops() {
  static constexpr auto finish = [] {
    if constexpr (Finishes<T>)
      return &TaskThunks<T>::finish;
    else
      return nullptr;
  }();
  static constexpr plait_task_ops ops{
      sizeof(plait_task_ops), 0, &TaskThunks<T>::create, &destroy_thunk<T>, &TaskThunks<T>::map, finish};
  return &ops;
}

}  // namespace detail

// A task type and its implementation.
template <class T>
Entry task(const char* id) {
  constexpr bool kPairs = detail::SaysWhatItEmits<T> && detail::MapsRecords<T>;
  constexpr bool kArrays = detail::Accumulates<T> && detail::DeclaresAccumulators<T>;
  constexpr bool kBoth = detail::TakesAccumulated<T> && detail::DeclaresAccumulators<T>;
  if constexpr (detail::MeansArrays<T>) {
    static_assert(!detail::MapsRecords<T>, "map is there twice: with Emitter& and with Accumulated&");
    static_assert(
        detail::TakesAccumulated<T>,
        "a task of arrays needs: void map(Context& c, const Records& records, Accumulated& out) const");
    static_assert(detail::DeclaresAccumulators<T>,
                  "a task of arrays needs: void infer(const Parts& parts, Accumulators& a) const");
  } else if constexpr (kBoth) {
    static_assert(!detail::MapsRecords<T>, "map is there twice: with Emitter& and with Accumulated&");
    static_assert(detail::MapsRecords<T>, "emits is of pairs, and never read: the task fills accumulators");
  } else {
    static_assert(detail::SaysWhatItEmits<T>,
                  "a task needs, public: static constexpr Value emits = Value::kI64 (or kF64, kBytes)");
    static_assert(detail::MapsRecords<T>,
                  "a task needs: void map(Context& c, const Records& records, Emitter& out) const, or with "
                  "Accumulated& out");
  }
  detail::check_task<T>();
  if constexpr (kPairs != kArrays)
    return detail::make_entry<T>("task", id, detail::task_rules<T>(), kCpu, detail::task_ops<T>());
  return {};  // what is wanted has been said, and nothing more is
}

}  // namespace plait::sdk
