// Augmenters: samples from samples.
//
//   void infer(Parts& parts) const;             // optional: parts in become parts out; default: unchanged
//   void open(Context& c, const Parts& parts);  // optional: once; the parts that go in; c.fit() if fitted
//   void apply(Context& c, SampleCall& call) const;
//   void apply_batch(Context& c, SampleCall& call) const;  // optional: [N, ...] parts (mixup)
//   uint64_t workspace_bytes(Context& c, int64_t batch) const;
//       // optional: bytes of call.workspace() during a call of apply (batch 0), or of apply_batch of `batch`
//       // samples
//
// Optional, a pass over the training data first: a sum of numbers that begins as zeros.
//   size_t fit_size(const Parts& parts) const;
//   void fit_observe(Context& c, SampleCall& call, std::span<double> state) const;
//
// On a device, besides (a struct of its own with the fields of the type, given to implementation()): in place
// of apply
//   void apply_samples(Context& c, SamplesCall& call) const;  // every sample of a batch, each with its
//   rngs()[n]
// Outputs that it does not ask for are passed on by the host.
//
//   static constexpr bool two_axes = true;  // takes parts of which two axes vary; call.extent says how far
//
// Outputs that apply did not ask for (call.output, call.part, call.pass) are copies of the inputs of the same
// name. Randomness comes from call.random() alone. Threads: apply runs on several threads at once with one
// instance.
#pragma once
#include "child.hpp"
#include "entry.hpp"
#include "parts.hpp"

namespace plait::sdk {

template <>
class Child<Augmenter> : public ChildBase<Augmenter> {
 public:
  using ChildBase<Augmenter>::ChildBase;

  // Edits parts as the child's infer does; an absent child changes nothing. Fails with: kInvalid for parts
  // that vary along two axes, where the child knows of one; what the child's reports.
  void infer(Context& c, Parts& parts) const {
    if (!this->c()) return;
    for (const PartSpec& part : parts)
      if (part.second_axis >= 0 && !this->takes_two_axes())
        throw Error(id(), " knows of one axis that varies, and part \"", part.name, "\" varies along ",
                    part.variable_axis, " and ", part.second_axis);
    if (!this->c()->rules) return;
    const auto* rules = static_cast<const plait_augmenter_rules*>(this->c()->rules);
    std::vector<plait_tensor_spec> specs;
    for (const PartSpec& part : parts) specs.push_back(part.c());
    std::vector<const plait_tensor_spec*> pointers;
    for (const plait_tensor_spec& spec : specs) pointers.push_back(&spec);
    Parts result;
    plait_parts_builder collect{};
    collect.struct_size = sizeof collect;
    collect.host_data = &result;
    collect.part = [](const plait_parts_builder* builder, const plait_tensor_spec* spec) noexcept -> int {
      try {
        const PartSpec part{Spec(spec)};
        static_cast<Parts*>(builder->host_data)
            ->add(part.name, part.dtype, part.shape, part.variable_axis, part.second_axis);
        return PLAIT_OK;
      } catch (...) {
        return PLAIT_FAILED;
      }
    };
    if (rules->infer(c.c(), this->c()->config, static_cast<uint32_t>(pointers.size()), pointers.data(),
                     &collect) != PLAIT_OK) {
      throw Error(id(), " does not fit these parts");
    }
    parts = std::move(result);
  }
  // Does the whole of `call` by the child, whose random numbers are those of place `place` among its
  // siblings, and whose workspace is the parent's: it has said in workspace_bytes that it wants as much.
  void apply(Context& c, SampleCall& call, uint64_t place = 0) const {
    plait_sample_call raw = *call.c();
    raw.struct_size = sizeof raw;
    raw.rng = Random(raw.rng).split(place).c();
    apply_raw(c, raw);
    call.all_written();
  }
  // What the child wants of the parent's workspace; see apply.
  uint64_t workspace_bytes(Context& c, int64_t batch = 0) const {
    const plait_augmenter_ops* const table = this->c() ? &ops() : nullptr;
    uint64_t bytes = 0;
    if (PLAIT_HAS(table, workspace) && table->workspace(this->c()->self, c.c(), batch, &bytes) != PLAIT_OK)
      throw Error(id(), " cannot say what memory it needs");
    return bytes;
  }
  // The same on memory of the caller's.
  void apply_raw(Context& c, const plait_sample_call& raw) const {
    if (ops().apply(this->c()->self, c.c(), &raw) != PLAIT_OK) throw Error(id(), " failed");
  }
};

// The samples of a batch on a device: parts are [N, ...], and data() of all is memory of the device. None
// varies.
class SamplesCall {
 public:
  using ChangedByHook = void;
  explicit SamplesCall(const plait_sample_call* call) : call_(call) {}
  bool training() const { return call_.training(); }
  int64_t samples() const { return Tensor(call_.c()->inputs[0]).shape(0); }  // N
  // [N], memory of the device: what Random is made of for each sample.
  const plait_rng* rngs() const { return call_.c()->rngs; }
  bool has(std::string_view name) const { return call_.has(name); }
  Tensor input(std::string_view name) const { return call_.input(name); }
  // All of it has to be written.
  Tensor output(std::string_view name) { return call_.output(name); }
  PartInOut part(std::string_view name) { return call_.part(name); }
  template <class V = void>
  V* workspace() const {
    return call_.workspace<V>();
  }

  // From here on for the SDK.
  void tell_written() const {
    const plait_sample_call& c = *call_.c();
    for (uint32_t i = 0; i < c.n_outputs; ++i) c.written[i] = call_.is_written(i) ? 1 : 0;
  }

 private:
  SampleCall call_;
};

namespace detail {

template <class T>
concept AppliesSamples = requires(const T& t, Context& c, SamplesCall& call) {
  t.apply_samples(c, call);
};
template <class T>
concept AppliesBatch = requires(const T& t, Context& c, SampleCall& call) {
  t.apply_batch(c, call);
};
template <class T>
concept AppliesSample = requires(const T& t, Context& c, SampleCall& call) {
  t.apply(c, call);
};
template <class T>
concept FitsData = requires(const T& t, Context& c, SampleCall& call, const Parts& parts,
                            std::span<double> state) {
  { t.fit_size(parts) } -> std::convertible_to<size_t>;
  t.fit_observe(c, call, state);
};

template <class T>
concept WantsWorkspace = requires(const T& t, Context& c) {
  { t.workspace_bytes(c, int64_t{}) } -> std::convertible_to<uint64_t>;
};

template <class T>
concept InfersPartsAlone = requires(const T& t, Parts& parts) {
  t.infer(parts);
};
template <class T>
concept InfersPartsInContext = requires(const T& t, Context& c, Parts& parts) {
  t.infer(c, parts);
};
template <class T>
concept OpensForParts = requires(T& t, Context& c, const Parts& parts) {
  t.open(c, parts);
};

template <class T>
constexpr void check_augmenter() {
  static_assert(AppliesSample<T> || AppliesBatch<T>,
                "an augmenter needs: void apply(Context& c, SampleCall& call) const (or apply_batch)");
  PLAIT_SDK_CHECK_HOOK(apply, const T, "void apply(Context& c, SampleCall& call) const", void, Context&,
                       SampleCall&);
  PLAIT_SDK_CHECK_HOOK(apply_batch, const T, "void apply_batch(Context& c, SampleCall& call) const", void,
                       Context&, SampleCall&);
  static_assert(
      !names_infer<T>() || InfersPartsAlone<T> || InfersPartsInContext<T>,
      "infer is not: void infer(Parts& parts) const, nor void infer(Context& c, Parts& parts) const");
  static_assert(!(InfersPartsAlone<T> && InfersPartsInContext<T>),
                "infer is there twice, one of them is never called: with Context& or without");
  PLAIT_SDK_CHECK_CALL(infer, const T, "void infer(Parts& parts) const", void, Parts&);
  PLAIT_SDK_CHECK_CALL(infer, const T, "void infer(Context& c, Parts& parts) const", void, Context&, Parts&);
  static_assert(!names_open<T>() || OpensForParts<T> || HasOpen<T>,
                "open is not: void open(Context& c, const Parts& parts), nor void open(Context& c)");
  static_assert(!(OpensForParts<T> && HasOpen<T>),
                "open is there twice, one of them is never called: with const Parts& or without");
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c, const Parts& parts)", void, Context&, const Parts&);
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c)", void, Context&);
  static_assert(!(names_fit_size<T>() || names_fit_observe<T>()) || FitsData<T>,
                "fit_size and fit_observe are not both: size_t fit_size(const Parts& parts) const, and void "
                "fit_observe(Context& c, SampleCall& call, std::span<double> state) const");
  static_assert(!constant_workspace_bytes<T>(),
                "workspace_bytes is not: uint64_t workspace_bytes(Context& c, int64_t batch) const");
  PLAIT_SDK_CHECK_HOOK(workspace_bytes, const T, "uint64_t workspace_bytes(Context& c, int64_t batch) const",
                       Whole, Context&, int64_t);
  PLAIT_SDK_CHECK_CALL(fit_size, const T, "size_t fit_size(const Parts& parts) const", Whole, const Parts&);
  PLAIT_SDK_CHECK_CALL(fit_observe, const T,
                       "void fit_observe(Context& c, SampleCall& call, std::span<double> state) const", void,
                       Context&, SampleCall&, std::span<double>);
}

template <class T>
struct AugmenterThunks {
  static int infer(plait_context* context, const plait_config* config, uint32_t n_parts,
                   const plait_tensor_spec* const* specs, const plait_parts_builder* builder) noexcept {
    return guard(context, [&] {
      T augmenter{};
      read_config(context, config, augmenter);
      Parts parts(n_parts, specs);
      if constexpr (InfersPartsInContext<T>) {
        Context c(context);
        std::as_const(augmenter).infer(c, parts);
      } else if constexpr (InfersPartsAlone<T>) {
        std::as_const(augmenter).infer(parts);
      }
      parts.emit(builder);
    });
  }
  static int create(plait_context* context, const plait_config* config, uint32_t n_parts,
                    const plait_tensor_spec* const* specs, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<T>();
      read_config(context, config, *made);
      [[maybe_unused]] Context c(context);
      [[maybe_unused]] const Parts parts(n_parts, specs);
      if constexpr (OpensForParts<T>) {
        made->open(c, parts);
      } else if constexpr (HasOpen<T>) {
        made->open(c);
      }
      *self = made.release();
    });
  }
  static int apply(const void* self, plait_context* context, const plait_sample_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      SampleCall sample(call);
      if constexpr (AppliesSample<T>) as<T>(self).apply(c, sample);
      sample.pass_untouched();
    });
  }
  static int apply_batch(const void* self, plait_context* context, const plait_sample_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      SampleCall batch(call);
      as<T>(self).apply_batch(c, batch);
      batch.pass_untouched();
    });
  }
  static int apply_samples(const void* self, plait_context* context, const plait_sample_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      SamplesCall samples(call);
      as<T>(self).apply_samples(c, samples);
      samples.tell_written();
    });
  }
  static int workspace(const void* self, plait_context* context, int64_t batch, uint64_t* bytes) noexcept {
    return guard(context, [&] {
      Context c(context);
      *bytes = as<T>(self).workspace_bytes(c, batch);
    });
  }
  static uint32_t fit_size(plait_context* context, const plait_config* config, uint32_t n_parts,
                           const plait_tensor_spec* const* specs) noexcept {
    uint32_t size = 0;
    guard(context, [&] {
      T augmenter{};
      read_config(context, config, augmenter);
      size = static_cast<uint32_t>(augmenter.fit_size(Parts(n_parts, specs)));
    });
    return size;
  }
  static int fit_observe(plait_context* context, const plait_config* config, const plait_sample_call* call,
                         double* state) noexcept {
    return guard(context, [&] {
      Context c(context);
      T augmenter{};
      read_config(context, config, augmenter);
      Parts parts;
      for (uint32_t i = 0; i < call->n_inputs; ++i) {
        const Tensor in(call->inputs[i]);
        parts.add(in.name(), in.dtype(), {in.shape().begin(), in.shape().end()}, in.variable_axis(),
                  in.second_axis());
      }
      SampleCall sample(call);
      augmenter.fit_observe(c, sample, std::span<double>(state, augmenter.fit_size(parts)));
    });
  }
};

template <class T>
const plait_augmenter_rules* augmenter_rules() {
  static constexpr plait_augmenter_rules rules{sizeof(plait_augmenter_rules), 0, &AugmenterThunks<T>::infer};
  return &rules;
}

template <class T>
const plait_augmenter_ops* augmenter_ops() {
  static const plait_augmenter_ops ops = [] {
    using Thunks = AugmenterThunks<T>;
    plait_augmenter_ops table{};
    table.struct_size = sizeof table;
    table.create = &Thunks::create;
    table.destroy = &destroy_thunk<T>;
    table.apply = &Thunks::apply;
    if constexpr (AppliesBatch<T>) table.apply_batch = &Thunks::apply_batch;
    if constexpr (FitsData<T>) {
      table.fit_size = &Thunks::fit_size;
      table.fit_observe = &Thunks::fit_observe;
    }
    if constexpr (WantsWorkspace<T>) table.workspace = &Thunks::workspace;
    return table;
  }();
  return &ops;
}

// Of an implementation for a device.
template <class T>
constexpr void check_samples() {
  PLAIT_SDK_CHECK_HOOK(apply_samples, const T, "void apply_samples(Context& c, SamplesCall& call) const",
                       void, Context&, SamplesCall&);
  static_assert(AppliesSamples<T>,
                "an augmenter on a device needs: void apply_samples(Context& c, SamplesCall& call) const");
  static_assert(!names_open<T>() || OpensForParts<T> || HasOpen<T>,
                "open is not: void open(Context& c, const Parts& parts), nor void open(Context& c)");
  PLAIT_SDK_CHECK_HOOK(workspace_bytes, const T, "uint64_t workspace_bytes(Context& c, int64_t batch) const",
                       Whole, Context&, int64_t);
}

template <class T>
const plait_augmenter_ops* samples_ops() {
  static const plait_augmenter_ops ops = [] {
    using Thunks = AugmenterThunks<T>;
    plait_augmenter_ops table{};
    table.struct_size = sizeof table;
    table.create = &Thunks::create;
    table.destroy = &destroy_thunk<T>;
    if constexpr (AppliesSamples<T>) table.apply_samples = &Thunks::apply_samples;
    if constexpr (WantsWorkspace<T>) table.workspace = &Thunks::workspace;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// An augmenter type and its implementation.
template <class T>
Entry augmenter(const char* id) {
  detail::check_augmenter<T>();
  return detail::make_entry<T>("augmenter", id, detail::augmenter_rules<T>(), kCpu,
                               detail::augmenter_ops<T>());
}

}  // namespace plait::sdk
