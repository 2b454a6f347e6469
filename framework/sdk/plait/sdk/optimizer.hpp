// Optimizers: weights from gradients, with slots (one number per weight) kept by the host between steps.
//
//   static constexpr bool elementwise = true;  // every element by itself: the host may cut and join tensors
//   static constexpr bool plain = true;
//       // every call has one whole parameter with all its elements, without padding, in the order of
//       // call.shape: for layerwise norms and matrices. Else, without elementwise, a call has one parameter
//       in
//       // the layer's own order, padding (zeros) included
//   void slots(OptimizerSlots& s) const;  // optional: slots that depend on the configuration; else d.slot()
//   void step(Context& c, const OptimizerCall& call) const;
//   double observe(Context& c, const OptimizerCall& call) const;
//       // optional: this tensor's share of a sum over all gradients, made before the first step call, which
//       // finds the sum in call.observed
//   void move(Context& c, const OptimizerCall& call) const;
//       // optional: changes the weights to those at which a second gradient is wanted (sharpness-aware
//       // minimization). The host runs the step's batch again there, with the same random numbers, puts
//       // weights and layers' buffers back, observes anew, and calls step with those gradients (is_second).
//       // Slots are only read. Refused as an outer optimizer, and in a job with sync: gradients
//
// Fields described with runtime() hold their value of this step when step and observe are called: the SDK
// works on a copy of the struct, which therefore should hold plain numbers. Law: with weights 0, gradients 0
// and slots at their initial values, step leaves the weights 0. Threads: step runs on several threads at
// once; it must not allocate.
#pragma once
#include <deque>
#include <span>
#include <string_view>
#include <utility>

#include "entry.hpp"
#include "tensor.hpp"

namespace plait::sdk {

class OptimizerSlots {
 public:
  using ChangedByHook = void;
  Slot& slot(const char* name) { return slots_.emplace_back(name); }
  const std::deque<Slot>& made() const { return slots_; }

 private:
  std::deque<Slot> slots_;
};

class OptimizerCall {
 public:
  explicit OptimizerCall(const plait_optimizer_call* call)
      : count(call->count),
        weights(call->weights, call->count),
        gradients(call->gradients, call->count),
        step(call->step),
        updates(call->updates),
        observed(call->observed),
        name(call->name == nullptr ? std::string_view() : call->name),
        shape(call->shape, static_cast<size_t>(call->shape == nullptr ? 0 : call->rank)),
        is_plain(call->is_plain != 0),
        is_second(call->is_second != 0),
        loss(call->loss),
        c_(call) {}

  size_t count;  // elements
  Out weights;
  In gradients;
  int64_t step;     // 0-based number of this update in the stage; see schedules
  int64_t updates;  // since the slots had their initial values; t = updates + 1 in Adam's equations
  double observed;  // sum of observe over all tensors, else 0
  // Of the parameter, "c1.weight", with its plain extents; both empty where elements of several were joined
  // (elementwise).
  std::string_view name;
  std::span<const int64_t> shape;
  bool is_plain;   // all its elements, in plain order
  bool is_second;  // the gradients are those at the weights to which move had moved
  // Of this step's batch at the weights before the step: the mean that is trained on. NaN: none, of an outer
  // optimizer, and of an elementwise one without observe on a device whose memory the host does not reach.
  double loss;

  // In the order of declaration.
  Out slot(size_t i) const { return {c_->slots[i], count}; }
  // False for a bias or a scale, which weight decay leaves alone.
  bool decay() const { return !(c_->flags & PLAIT_PARAMETER_NO_DECAY); }
  const plait_optimizer_call* c() const { return c_; }

 private:
  const plait_optimizer_call* c_;
};

namespace detail {

template <class T>
concept StepsOptimizer = requires(const T& t, Context& c, const OptimizerCall& call) {
  t.step(c, call);
};
template <class T>
concept ObservesGradients = requires(const T& t, Context& c, const OptimizerCall& call) {
  { t.observe(c, call) } -> std::convertible_to<double>;
};

template <class T>
concept MovesWeights = requires(const T& t, Context& c, const OptimizerCall& call) {
  t.move(c, call);
};

template <class T>
concept NamesSlots = requires(const T& t, OptimizerSlots& s) {
  t.slots(s);
};

template <class T>
concept SaysElementwise =
    !has_field_elementwise<T>() && std::is_same_v<typename Known<T::elementwise>::type, bool>;

template <class T>
concept SaysPlain = !has_field_plain<T>() && std::is_same_v<typename Known<T::plain>::type, bool>;

template <class T>
constexpr uint32_t optimizer_flags() {
  uint32_t flags = ObservesGradients<T> ? uint32_t{PLAIT_OPTIMIZER_NEEDS_ALL_GRADIENTS} : 0u;
  if constexpr (SaysElementwise<T>) flags |= T::elementwise ? uint32_t{PLAIT_OPTIMIZER_ELEMENTWISE} : 0u;
  if constexpr (SaysPlain<T>) flags |= T::plain ? uint32_t{PLAIT_OPTIMIZER_PLAIN} : 0u;
  return flags;
}

template <class T>
constexpr void check_optimizer() {
  static_assert(StepsOptimizer<T>,
                "an optimizer needs: void step(Context& c, const OptimizerCall& call) const");
  PLAIT_SDK_CHECK_CALL(step, const T, "void step(Context& c, const OptimizerCall& call) const", void,
                       Context&, const OptimizerCall&);
  PLAIT_SDK_CHECK_HOOK(observe, const T, "double observe(Context& c, const OptimizerCall& call) const", Real,
                       Context&, const OptimizerCall&);
  PLAIT_SDK_CHECK_HOOK(slots, const T, "void slots(OptimizerSlots& s) const", void, OptimizerSlots&);
  static_assert(!has_elementwise<T>() || SaysElementwise<T>,
                "elementwise is not: static constexpr bool elementwise = true, and public");
  static_assert(!has_plain<T>() || SaysPlain<T>,
                "plain is not: static constexpr bool plain = true, and public");
  constexpr uint32_t kBoth = PLAIT_OPTIMIZER_ELEMENTWISE | PLAIT_OPTIMIZER_PLAIN;
  static_assert(
      (optimizer_flags<T>() & kBoth) != kBoth,
      "elementwise and plain are both true: the first has parts of parameters, the second whole ones");
  PLAIT_SDK_CHECK_HOOK(move, const T, "void move(Context& c, const OptimizerCall& call) const", void,
                       Context&, const OptimizerCall&);
  check_open<T>();
}

template <class T>
struct OptimizerThunks {
  static int describe(plait_context* context, const plait_config* config,
                      const plait_optimizer_builder* builder) noexcept {
    return guard(context, [&] {
      T optimizer{};
      read_config(context, config, optimizer);
      for (const auto& slot : description<T>().slots()) emit(builder, *slot);
      if constexpr (NamesSlots<T>) {
        OptimizerSlots slots;
        std::as_const(optimizer).slots(slots);
        for (const Slot& slot : slots.made()) emit(builder, slot);
      }
    });
  }
  static void emit(const plait_optimizer_builder* builder, const Slot& slot) {
    if (builder->slot(builder, &slot.c()) != PLAIT_OK) {
      throw Error("slot \"", slot.c().name, "\" is not acceptable to the host");
    }
  }

  // Calls body(optimizer) with the runtime fields at their values of this step.
  template <class Body>
  static void at_this_step(const void* self, const plait_optimizer_call* call, Body&& body) {
    const T& made = as<T>(self);
    if (!description<T>().has_runtime_fields() || !call->runtime) return body(made);
    if constexpr (std::is_copy_constructible_v<T>) {
      T now = made;
      description<T>().set_runtime(now, call->runtime);
      body(static_cast<const T&>(now));
    } else {
      throw Error(ErrorCode::kUnsupported, "an optimizer with runtime fields must be copyable");
    }
  }
  static int step(const void* self, plait_context* context, const plait_optimizer_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      at_this_step(self, call, [&](const T& optimizer) { optimizer.step(c, OptimizerCall(call)); });
    });
  }
  static int observe(const void* self, plait_context* context, const plait_optimizer_call* call,
                     double* sum) noexcept {
    return guard(context, [&] {
      Context c(context);
      at_this_step(self, call,
                   [&](const T& optimizer) { *sum += optimizer.observe(c, OptimizerCall(call)); });
    });
  }
  static int move(const void* self, plait_context* context, const plait_optimizer_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      at_this_step(self, call, [&](const T& optimizer) { optimizer.move(c, OptimizerCall(call)); });
    });
  }
};

template <class T>
const plait_optimizer_rules* optimizer_rules() {
  static constexpr plait_optimizer_rules rules{sizeof(plait_optimizer_rules), optimizer_flags<T>(),
                                               &OptimizerThunks<T>::describe};
  return &rules;
}

template <class T>
const plait_optimizer_ops* optimizer_ops() {
  static const plait_optimizer_ops ops = [] {
    using Thunks = OptimizerThunks<T>;
    plait_optimizer_ops table{};
    table.struct_size = sizeof table;
    table.create = &create_thunk<T>;
    table.destroy = &destroy_thunk<T>;
    table.step = &Thunks::step;
    if constexpr (ObservesGradients<T>) table.observe = &Thunks::observe;
    if constexpr (MovesWeights<T>) table.move = &Thunks::move;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// An optimizer type and its implementation for the processor.
template <class T>
Entry optimizer(const char* id) {
  detail::check_optimizer<T>();
  return detail::make_entry<T>("optimizer", id, detail::optimizer_rules<T>(), kCpu,
                               detail::optimizer_ops<T>());
}

}  // namespace plait::sdk
