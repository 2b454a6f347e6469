// Losses: one number from predictions and targets, and the gradient of its mean.
//
//   void check(const LossShapes& s) const;     // optional: do the shapes fit? default: equal shapes
//   uint64_t workspace_bytes(const LossShapes& s) const;               // optional
//   void compute(Context& c, const LossCall& call) const;
//
// What a file may name of it; without them one prediction and one target, and no weights:
//   static constexpr Count predictions = 3, targets = {0, 1};  // between 0 and 1
//   static constexpr bool weighted = true;  // a weight for each sample: call.weight(n)
//   static void ports(Ports& p) { p.prediction("anchor", "[N, C]"); }  // what is where, see ports.hpp
//
// A loss that prepares kernels for concrete extents has, instead of compute:
//   struct Kernel {
//     Kernel(const T& config, Context& c, LossRequest& r);             // config outlives the kernel
//     void compute(Context& c, const LossCall& call) const;
//   };
//
// Threads: compute runs on several threads at once with one instance; it must not allocate.
#pragma once
#include <atomic>
#include <utility>

#include "entry.hpp"
#include "ports.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// How many of something a file may name.
struct Count {
  uint32_t least, most;
  constexpr Count(uint32_t exactly) : least(exactly), most(exactly) {}
  constexpr Count(uint32_t at_least, uint32_t at_most) : least(at_least), most(at_most) {}
};

class LossShapes {
 public:
  explicit LossShapes(const plait_loss_request* request) : c_(request) {}
  size_t predictions() const { return c_->n_predictions; }
  size_t targets() const { return c_->n_targets; }
  Spec prediction(size_t i = 0) const {
    if (i >= predictions()) throw Error("prediction ", i, " does not exist");
    return Spec(c_->predictions[i]);
  }
  Spec target(size_t i = 0) const {
    if (i >= targets()) throw Error("target ", i, " does not exist");
    return Spec(c_->targets[i]);
  }
  // Each sample has a weight.
  bool has_weights() const { return c_->weights != nullptr; }
  template <class... Part>
  [[noreturn]] void fail(const Part&... parts) const {
    throw Error(ErrorCode::kInvalid, parts...);
  }

 private:
  const plait_loss_request* c_;
};

class LossRequest : public LossShapes {
 public:
  explicit LossRequest(plait_loss_request* request) : LossShapes(request), c_(request) {}
  bool training() const { return c_->training != 0; }
  void workspace(uint64_t bytes) { c_->workspace_bytes = bytes; }
  // As LayerNeeds::repeats.
  void repeats() {
    if (c_->struct_size >= offsetof(plait_loss_request, reserved)) c_->repeats = 1;
  }

 private:
  plait_loss_request* c_;
};

class LossCall {
 public:
  explicit LossCall(const plait_loss_call* call) : c_(call) {}
  size_t predictions() const { return c_->n_predictions; }
  size_t targets() const { return c_->n_targets; }
  Tensor prediction(size_t i = 0) const { return Tensor(c_->predictions[i]); }
  Tensor target(size_t i = 0) const { return Tensor(c_->targets[i]); }
  // Of prediction i: of the mean loss times gradient_scale(); false when it is not needed.
  Tensor gradient(size_t i = 0) const { return Tensor(c_->prediction_gradients[i]); }
  // One a sample, finite and not negative; empty: all are 1. What set_result takes is then the sum of weight
  // * loss and that of the weights (of each valid element its sample's), and gradients are those of their
  // quotient; 0 where no sample has a weight. A sample of weight 0 counts for nothing, whatever it holds.
  std::span<const float> weights() const {
    return c_->weights ? Tensor(c_->weights).f32() : std::span<const float>();
  }
  double weight(size_t n) const { return c_->weights ? double{weights()[n]} : 1.0; }
  // Factor of the gradient: the loss's weight in the job.
  double gradient_scale() const { return c_->gradient_scale; }
  template <class V = void>
  V* workspace() const {
    return static_cast<V*>(c_->workspace);
  }

  // The target at `place` in the batch is not acceptable. Threads: [any]
  void bad_target(int64_t place) const {
    const auto found = static_cast<int32_t>(place);
    int32_t smallest = bad_.load(std::memory_order_relaxed);
    while ((smallest < 0 || found < smallest) && !bad_.compare_exchange_weak(smallest, found)) {
    }
  }
  // The call's answer, once, at its end: sum of the samples' losses, number of samples (or valid elements).
  // Writes through pointers of host memory; device code writes c()->result and c()->bad_target itself.
  void set_result(double sum, double count) const {
    c_->result[0] = sum;
    c_->result[1] = count;
    if (c_->bad_target) *c_->bad_target = bad_.load();
  }
  const plait_loss_call* c() const { return c_; }

 private:
  const plait_loss_call* c_;
  mutable std::atomic<int32_t> bad_ = -1;
};

namespace detail {

template <class T>
concept ChecksShapes = requires(const T& t, const LossShapes& s) {
  t.check(s);
};
template <class T>
concept AsksForWorkspace = requires(const T& t, const LossShapes& s) {
  { t.workspace_bytes(s) } -> std::convertible_to<uint64_t>;
};

template <class T>
concept SaysWeighted = !has_field_weighted<T>() && std::is_same_v<typename Known<T::weighted>::type, bool>;
template <class T>
concept CountsPredictions = !has_field_predictions<T>() && requires {
  { T::predictions } -> std::convertible_to<Count>;
};
template <class T>
concept CountsTargets = !has_field_targets<T>() && requires {
  { T::targets } -> std::convertible_to<Count>;
};

template <class T>
constexpr uint32_t loss_flags() {
  if constexpr (SaysWeighted<T>) return T::weighted ? uint32_t{PLAIT_LOSS_WEIGHTS} : 0u;
  return 0;
}
template <class T>
constexpr Count count_of_predictions() {
  if constexpr (CountsPredictions<T>) return T::predictions;
  return 1;
}
template <class T>
constexpr Count count_of_targets() {
  if constexpr (CountsTargets<T>) return T::targets;
  return 1;
}

template <class T>
concept ComputesLoss = requires(const T& t, Context& c, const LossCall& call) {
  t.compute(c, call);
};

template <class T>
struct LossInstance {
  T config;
  LossInstance(plait_context* context, plait_loss_request* request) : config{} {
    read_config(context, request->config, config);
    if constexpr (AsksForWorkspace<T>) {
      request->workspace_bytes = std::as_const(config).workspace_bytes(LossShapes(request));
    }
  }
  const T& worker() const { return config; }
};

template <class T>
requires requires { typename T::Kernel; }
struct LossInstance<T> {
  T config;
  typename T::Kernel kernel;
  LossInstance(plait_context* context, plait_loss_request* request)
      : config(read(context, request)), kernel(make_kernel(config, context, request)) {}
  const typename T::Kernel& worker() const { return kernel; }

 private:
  static T read(plait_context* context, const plait_loss_request* request) {
    T config{};
    read_config(context, request->config, config);
    return config;
  }
  static typename T::Kernel make_kernel(const T& config, plait_context* context,
                                        plait_loss_request* request) {
    Context c(context);
    LossRequest r(request);
    return typename T::Kernel(config, c, r);
  }
};

template <class T>
struct LossThunks {
  using Instance = LossInstance<T>;

  static int check(plait_context* context, const plait_loss_request* request) noexcept {
    return guard(context, [&] {
      T config{};
      read_config(context, request->config, config);
      const LossShapes shapes(request);
      if constexpr (ChecksShapes<T>) {
        std::as_const(config).check(shapes);
      } else {
        check_equal(shapes);
      }
    });
  }
  static void check_equal(const LossShapes& shapes) {
    for (size_t i = 0; i < shapes.predictions() && i < shapes.targets(); ++i) {
      const auto p = shapes.prediction(i).shape(), t = shapes.target(i).shape();
      if (std::equal(p.begin(), p.end(), t.begin(), t.end())) continue;
      shapes.fail("prediction ", shapes.prediction(i), " and target ", shapes.target(i),
                  " have different shapes");
    }
  }
  static int create(plait_context* context, plait_loss_request* request, void** self) noexcept {
    return guard(context, [&] { *self = new Instance(context, request); });
  }
  static int compute(const void* self, plait_context* context, const plait_loss_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      as<Instance>(self).worker().compute(c, LossCall(call));
    });
  }
};

template <class T>
constexpr void check_loss() {
  check_kernel<T>();
  check_never_opened<T>();
  PLAIT_SDK_CHECK_HOOK(check, const T, "void check(const LossShapes& s) const", void, const LossShapes&);
  static_assert(!has_weighted<T>() || SaysWeighted<T>,
                "weighted is not: static constexpr bool weighted = true, and public");
  static_assert(!has_predictions<T>() || CountsPredictions<T>,
                "predictions is not: static constexpr Count predictions = 2, and public");
  static_assert(!has_targets<T>() || CountsTargets<T>,
                "targets is not: static constexpr Count targets = 2, and public");
  static_assert(count_of_predictions<T>().least > 0 &&
                    count_of_predictions<T>().most >= count_of_predictions<T>().least &&
                    count_of_targets<T>().most >= count_of_targets<T>().least,
                "a loss has one prediction or more, and the most is no less than the least");
  static_assert(!names_ports<T>() || NamesPorts<T>, "ports is not: static void ports(Ports& p), and public");
  if constexpr (requires { typename T::Kernel; }) {
    using Kernel = typename T::Kernel;
    static_assert(!names_workspace_bytes<T>() && !names_workspace_bytes<Kernel>(),
                  "workspace_bytes is not called of a loss with a Kernel: its constructor says "
                  "r.workspace(bytes), Kernel(const T& config, Context&, LossRequest& r)");
    static_assert(!offers_check<Kernel>() && !Hook_check::fits<const Kernel, const LossShapes&>(),
                  "check in a Kernel is never called: it belongs in the struct around it");
    static_assert(!offers_compute<T>(),
                  "a loss with a Kernel has compute in the Kernel: that in the struct is not called");
    PLAIT_SDK_CHECK_CALL(compute, const Kernel, "void compute(Context& c, const LossCall& call) const", void,
                         Context&, const LossCall&);
    static_assert(ComputesLoss<Kernel>,
                  "a loss's Kernel needs: void compute(Context& c, const LossCall& call) const");
    static_assert(std::is_constructible_v<Kernel, const T&, Context&, LossRequest&>,
                  "a loss's Kernel needs: Kernel(const T& config, Context&, LossRequest&)");
  } else {
    static_assert(ComputesLoss<T>, "a loss needs: void compute(Context& c, const LossCall& call) const");
    PLAIT_SDK_CHECK_CALL(compute, const T, "void compute(Context& c, const LossCall& call) const", void,
                         Context&, const LossCall&);
    static_assert(!constant_workspace_bytes<T>(),
                  "workspace_bytes is not: uint64_t workspace_bytes(const LossShapes& s) const");
    PLAIT_SDK_CHECK_HOOK(workspace_bytes, const T, "uint64_t workspace_bytes(const LossShapes& s) const",
                         Whole, const LossShapes&);
  }
}

template <class T>
const plait_loss_rules* loss_rules() {
  static const plait_loss_rules rules = [] {
    constexpr Count kPredictions = count_of_predictions<T>(), kTargets = count_of_targets<T>();
    plait_loss_rules table{};
    table.struct_size = sizeof table;
    table.check = &LossThunks<T>::check;
    table.flags = loss_flags<T>();
    table.min_predictions = kPredictions.least, table.max_predictions = kPredictions.most;
    table.min_targets = kTargets.least, table.max_targets = kTargets.most;
    if constexpr (NamesPorts<T>) {
      table.prediction_ports = PortTables<T>::get().inputs.raw();
      table.target_ports = PortTables<T>::get().outputs.raw();
    }
    return table;
  }();
  return &rules;
}

template <class T>
const plait_loss_ops* loss_ops() {
  using Thunks = LossThunks<T>;
  static constexpr plait_loss_ops ops{sizeof(plait_loss_ops), 0, &Thunks::create,
                                      &destroy_thunk<typename Thunks::Instance>, &Thunks::compute};
  return &ops;
}

}  // namespace detail

// A loss type and its implementation for the processor.
template <class T>
Entry loss(const char* id) {
  detail::check_loss<T>();
  return detail::make_entry<T>("loss", id, detail::loss_rules<T>(), kCpu, detail::loss_ops<T>());
}

}  // namespace plait::sdk
