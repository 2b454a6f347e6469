// Layers: outputs from inputs, and gradients back.
//
// The simplest is elementwise: one f32 input, an output of the same shape.
//   void forward(Context& c, In x, Out y) const;
//   void backward(Context& c, In x, In dy, Out dx) const;              // or, when y is enough:
//   void backward_from_output(Context& c, In y, In dy, Out dx) const;
//   static constexpr bool in_place = true;   // y may be x's memory: only with backward_from_output
//
// A layer with its own shapes or weights says them in infer, and works on calls:
//   static constexpr uint32_t min_inputs = 2, max_inputs = kAnyInputs; // default: 1 and 1
//   void infer(LayerShapes& s) const;        // pure; runs without an instance, children may be absent
//   void needs(const LayerRequest& r, LayerNeeds& n) const;            // optional: saved, workspace, ...
//   void forward(Context& c, const LayerCall& call) const;
//   void backward(Context& c, const LayerCall& call) const;
//
// A layer that prepares kernels for concrete extents has a nested class:
//   struct Kernel {
//     Kernel(const T& config, Context& c, const LayerRequest& r, LayerNeeds& n);  // config outlives it
//     void forward(Context& c, const LayerCall& call) const;
//     void backward(Context& c, const LayerCall& call) const;
//   };
//
// A layer that takes inputs of which two axes vary (images of any size) says so; elementwise ones do:
//   static constexpr bool two_axes = true;  // x.extent(n, axis); past the extents are zeros, in dy too
//
// Optional in the Kernel, or in the struct where it has none:
//   void prepare(Context& c, const LayerCall& call) const;  // after each change of the parameters
//   void pack(Context& c, uint32_t index, const float* plain, float* stored) const;
//   void unpack(Context& c, uint32_t index, const float* stored, float* plain) const;
//
// Optional in the struct: void validate() const, throws Error; what is where, see ports.hpp:
//   static void ports(Ports& p) { p.input("x", "[N, C]"); p.parameter("weight", "[K, C]"); }
// and for a layer that disturbs what it reads, so that pretrainers find it:
//   static void corrupts(Corruption& c) { c.by("masking", "rate").set("rescale", false); }
// Threads: forward, backward and prepare run on several threads at once with one instance; they must not
// allocate.
#pragma once
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "block.hpp"
#include "entry.hpp"
#include "ports.hpp"
#include "random.hpp"
#include "tensor.hpp"

namespace plait::sdk {

inline constexpr uint32_t kAnyInputs = std::numeric_limits<uint32_t>::max();

// A parameter or buffer of a layer, being described in infer. Default: zeros, mean32.
class ParameterSpec {
 public:
  ParameterSpec(std::string_view name, std::initializer_list<int64_t> shape)
      : spec_(name, DType::f32, shape) {}
  // See plait_parameter_spec.init for the words: "he_normal", "uniform" (a..b), "constant" (a), ...
  ParameterSpec& init(const char* how, double a = 0, double b = 0) {
    init_ = how, a_ = a, b_ = b;
    return *this;
  }
  ParameterSpec& fans(double in, double out) { return fan_in_ = in, fan_out_ = out, *this; }
  // A bias or a scale: weight decay leaves it alone.
  ParameterSpec& no_decay() { return flags_ |= PLAIT_PARAMETER_NO_DECAY, *this; }
  ParameterSpec& reduce(Reduce rule) { return reduce_ = rule, *this; }

  plait_parameter_spec c() const {
    const plait_tensor_spec shape = spec_.c();
    plait_parameter_spec spec{};
    spec.struct_size = sizeof spec;
    spec.flags = flags_;
    spec.name = shape.name;
    spec.rank = shape.rank;
    spec.reduce = static_cast<uint32_t>(reduce_);
    for (int i = 0; i < shape.rank; ++i) spec.shape[i] = shape.shape[i];
    spec.init = init_;
    spec.init_a = a_, spec.init_b = b_;
    spec.fan_in = fan_in_, spec.fan_out = fan_out_;
    return spec;
  }

 private:
  PartSpec spec_;
  uint32_t flags_ = 0;
  Reduce reduce_ = Reduce::mean32;
  const char* init_ = "zeros";
  double a_ = 0, b_ = 0, fan_in_ = 0, fan_out_ = 0;
};

// How layers of a type disturb their input, in training and unscaled: see plait_corruption.
class Corruption {
 public:
  using ChangedByHook = void;
  // noise: "masking", "gaussian". amount_field: the field (a double) that takes the amount.
  Corruption& by(const char* noise, const char* amount_field) {
    return noise_ = noise, amount_ = amount_field, *this;
  }
  // Another field's value.
  template <class Value>
  Corruption& set(std::string field, const Value& value) {
    return block_.set(std::move(field), value), *this;
  }
  // From here on for the SDK.
  const char* noise() const { return noise_; }
  const char* amount() const { return amount_; }
  const Block& block() const { return block_; }

 private:
  const char* noise_ = nullptr;
  const char* amount_ = nullptr;
  Block block_{""};
};

// The question and the answers of infer.
class LayerShapes {
 public:
  using ChangedByHook = void;
  explicit LayerShapes(const plait_layer_request* request) : request_(request) {}

  size_t inputs() const { return request_->n_inputs; }
  Spec input(size_t i = 0) const {
    if (i >= inputs()) throw Error("input ", i, " does not exist");
    return Spec(request_->inputs[i]);
  }

  // The next output. Its dtype is the first input's; change the result's dtype or variable axes as needed.
  PartSpec& output(std::vector<int64_t> shape) {
    const DType dtype = inputs() > 0 ? input(0).dtype() : DType::f32;
    return outputs_.emplace_back("", dtype, std::move(shape));
  }
  PartSpec& output_like(size_t i = 0) { return outputs_.emplace_back(input(i)); }

  // How far samples reach along a variable axis of output 0, from how far they reach along one of input 0:
  // (multiply e + add) / divide, rounded down. Without it: as far as along an axis of an input of the same
  // extent. See plait_extent_rule.
  void extent(int axis, int input_axis, int64_t multiply, int64_t add, int64_t divide) {
    extents_.push_back({sizeof(plait_extent_rule), 0, axis, input_axis, 0, 0, multiply, add, divide});
  }

  // The next parameter, in plain order (as files hold it); its index is the order of the calls.
  ParameterSpec& weight(std::string_view name, std::initializer_list<int64_t> shape) {
    return parameters_.emplace_back(name, shape);
  }
  // A weight of zeros without decay.
  ParameterSpec& bias(std::string_view name, int64_t count) { return weight(name, {count}).no_decay(); }
  // State that training changes without gradients.
  ParameterSpec& buffer(std::string_view name, std::initializer_list<int64_t> shape) {
    return buffers_.emplace_back(name, shape);
  }

  // Multiply-adds of one forward call.
  void multiply_adds(double count) { multiply_adds_ = count; }
  // This layer is nothing but the function given (see plait_epilogue) and may be absorbed by the layer before
  // it.
  void is_epilogue(const char* name, double alpha = 0, double beta = 0) {
    epilogue_ = {sizeof epilogue_, 0, name, alpha, beta, nullptr, nullptr, {}};
  }
  // The same, of a function that no name is known for: see ElementFunction of <plait/element_function.hpp>.
  void is_epilogue(const plait_epilogue& epilogue) { epilogue_ = epilogue; }
  // This layer can absorb a function of that name; LayerRequest says which it must apply.
  void accepts_epilogue(const char* name) { accepted_.push_back(name); }
  // Output 0 may share memory with input 0, forward and backward.
  void in_place() { in_place_ = true; }
  // Input i holds whole numbers, low <= x < high; the host refuses a batch with others.
  void input_range(size_t i, int64_t low, int64_t high) {
    ranges_.push_back({static_cast<uint32_t>(i), low, high});
  }
  // For pretrainers: the layer that leads from something of output 0's shape back to as many numbers as input
  // 0 has, Block("acme.plane").set("units", n).
  void mirror(Block block) { mirror_.assign(1, std::move(block)); }
  // Output 0 is a function of input 0, element by element and the same in training and evaluation.
  void activation() { is_activation_ = true; }
  // The buffers tell of batches, as running statistics do, and forward measures them where
  // LayerRequest::measures says so: each then becomes what the batch alone says, whatever was in it.
  void measures_buffers() { measures_ = true; }
  template <class... Part>
  [[noreturn]] void fail(const Part&... parts) const {
    throw Error(ErrorCode::kInvalid, parts...);
  }

  // From here on for the SDK.
  const std::deque<PartSpec>& made_outputs() const { return outputs_; }
  void emit(const plait_layer_builder* b) const {
    for (const PartSpec& output : outputs_) {
      const plait_tensor_spec spec = output.c();
      accepted(b->output(b, &spec), "output", output.shape);
    }
    for (const ParameterSpec& parameter : parameters_) {
      const plait_parameter_spec spec = parameter.c();
      accepted(b->parameter(b, &spec), spec.name, {spec.shape, static_cast<size_t>(spec.rank)});
    }
    for (const ParameterSpec& buffer : buffers_) {
      const plait_parameter_spec spec = buffer.c();
      accepted(b->buffer(b, &spec), spec.name, {spec.shape, static_cast<size_t>(spec.rank)});
    }
    for (const plait_extent_rule& rule : extents_) {
      if (!PLAIT_HAS(b, extent)) throw Error(ErrorCode::kUnsupported, "the host knows no rules of extents");
      if (b->extent(b, &rule) != PLAIT_OK)
        throw Error("the rule for axis ", rule.axis, " is not acceptable to the host");
    }
    if (multiply_adds_ > 0) b->multiply_adds(b, multiply_adds_);
    if (epilogue_.name) b->is_epilogue(b, &epilogue_);
    for (const char* name : accepted_) b->accepts_epilogue(b, name);
    if (in_place_) b->in_place(b);
    if (is_activation_) b->activation(b);
    if (measures_ && PLAIT_HAS(b, measures)) b->measures(b);
    for (const Block& block : mirror_)
      if (block.with([&](const plait_block& made) { return b->mirror(b, &made); }) != PLAIT_OK)
        throw Error("the mirror ", block.type_id(), " is not acceptable to the host");
    for (const WholeRange& range : ranges_) {
      if (b->input_range(b, range.input, range.low, range.high) != PLAIT_OK) {
        throw Error("the range ", range.low, "..", range.high, " of input ", range.input,
                    " is not acceptable to the host");
      }
    }
  }

 private:
  static void accepted(int status, const char* what, std::span<const int64_t> shape) {
    if (status != PLAIT_OK) throw Error(what, " ", shape, " is not acceptable to the host");
  }

  struct WholeRange {
    uint32_t input;
    int64_t low, high;
  };

  const plait_layer_request* request_;
  std::vector<WholeRange> ranges_;
  std::vector<plait_extent_rule> extents_;
  std::deque<PartSpec> outputs_;
  std::deque<ParameterSpec> parameters_, buffers_;
  std::vector<const char*> accepted_;
  plait_epilogue epilogue_{};
  std::vector<Block> mirror_;  // at most one
  double multiply_adds_ = 0;
  bool in_place_ = false, is_activation_ = false, measures_ = false;
};

// An absorbed function: applied to output 0 by forward, undone first by backward.
struct Epilogue {
  std::string_view name;
  double alpha, beta;
  const plait_epilogue* c;  // lives as long as the request
  // Whether it brings its functions; then it is applied through TileFunction of <plait/tile_function.hpp>.
  bool has_functions() const { return PLAIT_HAS(c, backward); }
};

// What the numbers of an input were seen to be between: low <= 0 <= high, finite.
struct Range {
  double low, high;
};

// Where an instance will be: concrete extents and what is asked of it.
class LayerRequest {
 public:
  explicit LayerRequest(const plait_layer_request* request) : c_(request) {}
  size_t inputs() const { return c_->n_inputs; }
  size_t outputs() const { return c_->n_outputs; }
  Spec input(size_t i = 0) const { return Spec(c_->inputs[i]); }
  Spec output(size_t i = 0) const { return Spec(c_->outputs[i]); }
  bool training() const { return c_->training != PLAIT_EVALUATION; }
  // In training too; backward is never called. See LayerShapes::measures_buffers.
  bool measures() const { return c_->training == PLAIT_MEASURING; }
  bool parameters_frozen() const { return c_->parameters_frozen != 0; }
  bool input_gradient_needed(size_t i = 0) const {
    return training() && (!c_->input_gradient_needed || c_->input_gradient_needed[i] != 0);
  }
  size_t epilogues() const { return c_->n_epilogues; }
  Epilogue epilogue(size_t i = 0) const {
    const plait_epilogue& e = *c_->epilogues[i];
    return {e.name, e.alpha, e.beta, &e};
  }
  // Where there is one the instance computes from input i on 8-bit integers; numbers beyond it become its
  // ends. In evaluation alone, and never but for a layer that said LayerNeeds::takes_int8.
  std::optional<Range> int8_range(size_t i = 0) const {
    if (!PLAIT_HAS(c_, int8_ranges) || !c_->int8_ranges[i]) return std::nullopt;
    return Range{c_->int8_ranges[i]->low, c_->int8_ranges[i]->high};
  }
  const plait_layer_request* c() const { return c_; }

 private:
  const plait_layer_request* c_;
};

// What backward reads besides output gradients, parameters and saved memory.
enum class Reads : uint32_t {
  nothing = 0,
  inputs = PLAIT_READS_INPUTS,
  outputs = PLAIT_READS_OUTPUTS,
  both = PLAIT_READS_INPUTS | PLAIT_READS_OUTPUTS
};

// Memory that an instance asks for. Units: bytes, unless a type is given.
class LayerNeeds {
 public:
  explicit LayerNeeds(const plait_layer_needs* needs) : c_(needs) {}
  void saved(uint64_t bytes) { c_->saved(c_, bytes); }          // forward to backward
  void workspace(uint64_t bytes) { c_->workspace(c_, bytes); }  // during one call
  void prepared(uint64_t bytes) { c_->prepared(c_, bytes); }    // filled by prepare
  // f32 elements that parameter `index` takes in this layer's own order. Needs pack and unpack.
  void stored_elements(uint32_t index, uint64_t elements) { c_->stored_elements(c_, index, elements); }
  void backward_reads(Reads reads) { c_->backward_reads(c_, static_cast<uint32_t>(reads)); }  // default: both
  // backward adds to input gradients where LayerCall::accumulate says so.
  void accumulates() { c_->accumulates(c_); }
  // Forward and backward queue the same work for the same memory: they look at neither step() nor random(),
  // and wait for nothing. A device that records work then does it again without a call (on CUDA: as one
  // graph).
  void repeats() {
    if (PLAIT_HAS(c_, repeats)) c_->repeats(c_);
  }
  // In evaluation: made with a range of input i it computes on 8-bit integers, faster than without, for any
  // batch and lanes. To be said again where it is made with one.
  void takes_int8(uint32_t input = 0) {
    if (PLAIT_HAS(c_, takes_int8)) c_->takes_int8(c_, input);
  }

 private:
  const plait_layer_needs* c_;
};

// Memory of one call.
class LayerCall {
 public:
  LayerCall(const plait_layer_call* call, uint32_t inputs, uint32_t outputs)
      : c_(call), inputs_(inputs), outputs_(outputs) {}

  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }
  Tensor input(size_t i = 0) const { return Tensor(c_->inputs[i]); }
  Tensor output(size_t i = 0) const { return Tensor(c_->outputs[i]); }
  // Backward only.
  Tensor output_gradient(size_t i = 0) const { return Tensor(c_->output_gradients[i]); }
  // Backward only; false where it is not needed. Overwritten, unless accumulate(i).
  Tensor input_gradient(size_t i = 0) const {
    return Tensor(c_->input_gradients ? c_->input_gradients[i] : nullptr);
  }
  bool accumulate(size_t i = 0) const { return c_->accumulate && c_->accumulate[i] != 0; }

  // In stored order.
  float* parameter(size_t i) const { return c_->parameters[i]; }
  // Backward only, overwritten; null where it is not needed.
  float* parameter_gradient(size_t i) const {
    return c_->parameter_gradients ? c_->parameter_gradients[i] : nullptr;
  }
  // Unchanged in evaluation; overwritten where measures().
  float* buffer(size_t i) const { return c_->buffers[i]; }
  template <class V = void>
  V* saved() const {
    return static_cast<V*>(c_->saved);
  }
  template <class V = void>
  V* workspace() const {
    return static_cast<V*>(c_->workspace);
  }
  template <class V = void>
  V* prepared() const {
    return static_cast<V*>(c_->prepared);
  }

  bool training() const { return c_->training != PLAIT_EVALUATION; }
  bool measures() const { return c_->training == PLAIT_MEASURING; }
  int64_t step() const { return c_->step; }
  // The same numbers in forward and backward of one step.
  Random random() const { return Random(c_->rng); }
  plait_rng rng() const { return c_->rng; }
  const plait_layer_call* c() const { return c_; }

 private:
  const plait_layer_call* c_;
  uint32_t inputs_, outputs_;
};

namespace detail {

template <class T>
concept HasKernel = requires {
  typename T::Kernel;
};
template <class T>
concept InfersShapes = requires(const T& t, LayerShapes& s) {
  t.infer(s);
};
template <class T>
concept ForwardElementwise = requires(const T& t, Context& c, In x, Out y) {
  t.forward(c, x, y);
};
template <class T>
concept BackwardFromInput = requires(const T& t, Context& c, In x, Out dx) {
  t.backward(c, x, x, dx);
};
template <class T>
concept BackwardFromOutput = requires(const T& t, Context& c, In x, Out dx) {
  t.backward_from_output(c, x, x, dx);
};
template <class T>
concept ElementwiseLayer = ForwardElementwise<T> &&(BackwardFromInput<T> || BackwardFromOutput<T>);
template <class T>
concept CallLayer = requires(const T& t, Context& c, const LayerCall& call) {
  t.forward(c, call);
  t.backward(c, call);
};
template <class T>
concept AsksForMemory = requires(const T& t, const LayerRequest& r, LayerNeeds& n) {
  t.needs(r, n);
};
template <class T>
concept PreparesWeights = requires(const T& t, Context& c, const LayerCall& call) {
  t.prepare(c, call);
};
template <class T>
concept PacksWeights = requires(const T& t, Context& c, const float* from, float* to) {
  t.pack(c, uint32_t{}, from, to);
  t.unpack(c, uint32_t{}, from, to);
};

template <class T>
concept Corrupts = requires {
  static_cast<void (*)(Corruption&)>(&T::corrupts);
};

template <class T>
concept SaysInPlace = !has_field_in_place<T>() && std::is_same_v<typename Known<T::in_place>::type, bool>;
template <class T>
concept SaysMinInputs = !has_field_min_inputs<T>() && is_whole_v<typename Known<T::min_inputs>::type>;
template <class T>
concept SaysMaxInputs = !has_field_max_inputs<T>() && is_whole_v<typename Known<T::max_inputs>::type>;

template <class T>
constexpr bool may_be_in_place() {
  if constexpr (SaysInPlace<T>) return T::in_place;
  return false;
}
template <class T>
constexpr uint32_t min_inputs() {
  if constexpr (SaysMinInputs<T>) return T::min_inputs;
  return 1;
}
template <class T>
constexpr uint32_t max_inputs() {
  if constexpr (SaysMaxInputs<T>) return T::max_inputs;
  return min_inputs<T>() > 1 ? min_inputs<T>() : 1;
}

template <class T>
void infer_elementwise(LayerShapes& s) {
  if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
  s.output_like(0);
  s.activation();
  if constexpr (may_be_in_place<T>()) s.in_place();
}

// Made by create: the configuration, the kernel where the layer has one, and what calls do not say.
template <class T>
struct LayerInstance {
  T config;
  uint32_t inputs, outputs;

  LayerInstance(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs)
      : config{}, inputs(request->n_inputs), outputs(request->n_outputs) {
    read_config(context, request->config, config);
    LayerNeeds n(needs);
    if constexpr (ElementwiseLayer<T>) {
      n.backward_reads(BackwardFromOutput<T> ? Reads::outputs : Reads::inputs);
      n.repeats();
    }
    if constexpr (AsksForMemory<T>) std::as_const(config).needs(LayerRequest(request), n);
  }
  const T& worker() const { return config; }
};

template <HasKernel T>
struct LayerInstance<T> {
  T config;
  uint32_t inputs, outputs;
  typename T::Kernel kernel;

  LayerInstance(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs)
      : config(read(context, request)),
        inputs(request->n_inputs),
        outputs(request->n_outputs),
        kernel(make_kernel(config, context, request, needs)) {}
  const typename T::Kernel& worker() const { return kernel; }

 private:
  static T read(plait_context* context, const plait_layer_request* request) {
    T config{};
    read_config(context, request->config, config);
    return config;
  }
  static typename T::Kernel make_kernel(const T& config, plait_context* context,
                                        const plait_layer_request* request, const plait_layer_needs* needs) {
    Context c(context);
    LayerNeeds n(needs);
    return typename T::Kernel(config, c, LayerRequest(request), n);
  }
};

template <class T>
struct LayerThunks {
  using Instance = LayerInstance<T>;

  static int infer(plait_context* context, const plait_layer_request* request,
                   const plait_layer_builder* builder) noexcept {
    return guard(context, [&] {
      T config{};
      read_config(context, request->config, config);
      LayerShapes shapes(request);
      if constexpr (InfersShapes<T>) {
        config.infer(shapes);
      } else {
        infer_elementwise<T>(shapes);
      }
      shapes.emit(builder);
    });
  }
  static int create(plait_context* context, const plait_layer_request* request,
                    const plait_layer_needs* needs, void** self) noexcept {
    return guard(context, [&] { *self = new Instance(context, request, needs); });
  }
  static int forward(const void* self, plait_context* context, const plait_layer_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& instance = as<Instance>(self);
      const LayerCall view(call, instance.inputs, instance.outputs);
      if constexpr (ElementwiseLayer<T>) {
        instance.config.forward(c, In(view.input().f32()), view.output().f32());
      } else {
        instance.worker().forward(c, view);
      }
    });
  }
  static int backward(const void* self, plait_context* context, const plait_layer_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& instance = as<Instance>(self);
      const LayerCall view(call, instance.inputs, instance.outputs);
      if constexpr (ElementwiseLayer<T>) {
        if (!view.input_gradient()) return;
        const In dy = view.output_gradient().f32();
        const Out dx = view.input_gradient().f32();
        if constexpr (BackwardFromOutput<T>) {
          instance.config.backward_from_output(c, In(view.output().f32()), dy, dx);
        } else {
          instance.config.backward(c, In(view.input().f32()), dy, dx);
        }
      } else {
        instance.worker().backward(c, view);
      }
    });
  }
  static int prepare(const void* self, plait_context* context, const plait_layer_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& instance = as<Instance>(self);
      instance.worker().prepare(c, LayerCall(call, instance.inputs, instance.outputs));
    });
  }
  static int pack(const void* self, plait_context* context, uint32_t index, const float* plain,
                  float* stored) noexcept {
    return guard(context, [&] {
      Context c(context);
      as<Instance>(self).worker().pack(c, index, plain, stored);
    });
  }
  static int unpack(const void* self, plait_context* context, uint32_t index, const float* stored,
                    float* plain) noexcept {
    return guard(context, [&] {
      Context c(context);
      as<Instance>(self).worker().unpack(c, index, stored, plain);
    });
  }
};

template <class T>
struct KernelOf {
  using type = T;
};
template <HasKernel T>
struct KernelOf<T> {
  using type = typename T::Kernel;
};

// Hooks that are optional, in the Kernel or in the struct that has none.
template <class T>
constexpr void check_layer_hooks() {
  using Worker = typename KernelOf<T>::type;
  PLAIT_SDK_CHECK_HOOK(prepare, const Worker, "void prepare(Context& c, const LayerCall& call) const", void,
                       Context&, const LayerCall&);
  static_assert(
      !(names_pack<Worker>() || names_unpack<Worker>()) || PacksWeights<Worker>,
      "pack and unpack are not both: void pack(Context& c, uint32_t index, const float* plain, float* "
      "stored) const, and unpack(Context& c, uint32_t index, const float* stored, float* plain) const");
  PLAIT_SDK_CHECK_CALL(pack, const Worker,
                       "void pack(Context& c, uint32_t index, const float* plain, float* stored) const", void,
                       Context&, uint32_t, const float*, float*);
  PLAIT_SDK_CHECK_CALL(unpack, const Worker,
                       "void unpack(Context& c, uint32_t index, const float* stored, float* plain) const",
                       void, Context&, uint32_t, const float*, float*);
  PLAIT_SDK_CHECK_HOOK(backward_from_output, const T,
                       "void backward_from_output(Context& c, In y, In dy, Out dx) const", void, Context&, In,
                       In, Out);
  if constexpr (!HasKernel<T>)
    PLAIT_SDK_CHECK_HOOK(needs, const T, "void needs(const LayerRequest& r, LayerNeeds& n) const", void,
                         const LayerRequest&, LayerNeeds&);
}

// forward and backward, where they can be called.
template <class T>
constexpr void check_layer_calls() {
  using Worker = typename KernelOf<T>::type;
  PLAIT_SDK_CHECK_CALL(forward, const T, "void forward(Context& c, In x, Out y) const", void, Context&, In,
                       Out);
  PLAIT_SDK_CHECK_CALL(backward, const T, "void backward(Context& c, In x, In dy, Out dx) const", void,
                       Context&, In, In, Out);
  PLAIT_SDK_CHECK_CALL(forward, const Worker, "void forward(Context& c, const LayerCall& call) const", void,
                       Context&, const LayerCall&);
  PLAIT_SDK_CHECK_CALL(backward, const Worker, "void backward(Context& c, const LayerCall& call) const", void,
                       Context&, const LayerCall&);
  static_assert(!(ForwardElementwise<T> && BackwardFromInput<T> && BackwardFromOutput<T>),
                "backward is never called beside backward_from_output: give one of them");
  static_assert(
      !(ElementwiseLayer<T> && CallLayer<Worker>),
      "forward and backward are there twice, and those of const LayerCall& are never called: give one pair");
}

// What is in the Kernel and belongs in the struct, or the other way round.
template <class T>
constexpr void check_layer_kernel() {
  check_kernel<T>();
  if constexpr (HasKernel<T>) {
    using Kernel = typename T::Kernel;
    static_assert(
        !(names_needs<T>() || names_prepare<T>() || names_pack<T>() || names_unpack<T>()),
        "a layer with a Kernel has prepare, pack and unpack in the Kernel, and says its needs in the "
        "Kernel's constructor");
    static_assert(
        !(offers_forward<T>() || offers_backward<T>() || offers_backward_from_output<T>()),
        "a layer with a Kernel has forward and backward in the Kernel: those in the struct are not called");
    static_assert(
        !names_needs<Kernel>(),
        "needs in a Kernel is never called: its constructor says them, Kernel(const T& config, Context&, "
        "const LayerRequest&, LayerNeeds& n)");
    static_assert(
        !names_backward_from_output<Kernel>(),
        "backward_from_output in a Kernel is never called: it has backward(Context&, const LayerCall&)");
    static_assert(!offers_infer<Kernel>() && !Hook_infer::fits<const Kernel, LayerShapes&>(),
                  "infer in a Kernel is never called: it belongs in the struct around it");
    static_assert(
        !has_in_place<Kernel>() && !has_min_inputs<Kernel>() && !has_max_inputs<Kernel>(),
        "in_place, min_inputs and max_inputs in a Kernel are never read: they belong in the struct");
    static_assert(!has_two_axes<Kernel>(),
                  "two_axes in a Kernel is never read: it belongs in the struct around it");
  }
}

template <class T>
constexpr void check_layer_constants() {
  static_assert(!has_in_place<T>() || SaysInPlace<T>,
                "in_place is not: static constexpr bool in_place = true, and public");
  static_assert(!has_min_inputs<T>() || SaysMinInputs<T>,
                "min_inputs is not: static constexpr uint32_t min_inputs = 2, and public");
  static_assert(!has_max_inputs<T>() || SaysMaxInputs<T>,
                "max_inputs is not: static constexpr uint32_t max_inputs = kAnyInputs, and public");
  static_assert(min_inputs<T>() <= max_inputs<T>(), "min_inputs is more than max_inputs");
}

// What every implementation of a layer needs; infer is the type's.
template <class T>
constexpr bool works_as_layer() {
  return is_struct<T>() && (ElementwiseLayer<T> || CallLayer<typename KernelOf<T>::type>);
}
template <class T>
constexpr void check_layer_work() {
  using Worker = typename KernelOf<T>::type;
  check_struct<T>();
  static_assert(
      !ForwardElementwise<T> || ElementwiseLayer<T>,
      "a layer with forward(Context&, In x, Out y) needs, const: void backward(Context&, In x, In dy, "
      "Out dx), or where y is enough void backward_from_output(Context&, In y, In dy, Out dx)");
  static_assert(ForwardElementwise<T> || CallLayer<Worker>,
                "a layer (or its Kernel) needs forward and backward, both const: (Context&, In x, Out y) and "
                "(Context&, In x, In dy, Out dx), or (Context&, const LayerCall&) for both");
  static_assert(
      !HasKernel<T> || std::is_constructible_v<Worker, const T&, Context&, const LayerRequest&, LayerNeeds&>,
      "a Kernel needs: Kernel(const T& config, Context&, const LayerRequest&, LayerNeeds&)");
  check_layer_kernel<T>();
  check_never_opened<T>();
  check_layer_hooks<T>();
  check_layer_calls<T>();
}

template <class T>
constexpr void check_layer() {
  check_layer_work<T>();
  check_layer_constants<T>();
  PLAIT_SDK_CHECK_HOOK(infer, const T, "void infer(LayerShapes& s) const", void, LayerShapes&);
  static_assert(!names_corrupts<T>() || Corrupts<T>,
                "corrupts is not: static void corrupts(Corruption& c), and public");
  static_assert(!names_ports<T>() || NamesPorts<T>, "ports is not: static void ports(Ports& p), and public");
  static_assert(InfersShapes<T> || ElementwiseLayer<T> || !works_as_layer<T>(),
                "a layer that is not elementwise needs: void infer(LayerShapes& s) const");
  static_assert(
      !may_be_in_place<T>() || BackwardFromOutput<T>,
      "in place there is no x left for backward: give backward_from_output(Context&, In y, In dy, Out dx)");
}

// As T says it; lives as long as the library.
template <Corrupts T>
const plait_corruption* corruption_of() {
  struct Made {
    Corruption says;
    plait_corruption table{};
    std::deque<std::string> texts;
    std::deque<plait_setting> settings;
    std::vector<const plait_setting*> pointers;
    Made() {
      T::corrupts(says);
      says.block().with([&](const plait_block& block) {
        for (uint32_t i = 0; i < block.n_settings; ++i) {
          plait_setting& setting = settings.emplace_back(*block.settings[i]);
          setting.name = texts.emplace_back(setting.name).c_str();
          const std::string& text = texts.emplace_back(setting.string.data, setting.string.size);
          setting.string = {text.data(), text.size()};
          pointers.push_back(&setting);
        }
        return 0;
      });
      table = {sizeof table, static_cast<uint32_t>(pointers.size()), says.noise(), says.amount(),
               pointers.data()};
    }
  };
  static const Made made;
  return &made.table;
}

template <class T>
const plait_layer_rules* layer_rules() {
  static const plait_layer_rules rules = [] {
    plait_layer_rules table{};
    table.struct_size = sizeof table;
    table.min_inputs = min_inputs<T>();
    table.max_inputs = max_inputs<T>();
    table.infer = &LayerThunks<T>::infer;
    if constexpr (Corrupts<T>) table.corruption = corruption_of<T>();
    if constexpr (NamesPorts<T>) {
      const auto& ports = PortTables<T>::get();
      table.input_ports = ports.inputs.raw();
      table.output_ports = ports.outputs.raw();
      table.parameter_ports = ports.parameters.raw();
      table.buffer_ports = ports.buffers.raw();
    }
    return table;
  }();
  return &rules;
}

template <class T>
const plait_layer_ops* layer_ops() {
  static const plait_layer_ops ops = [] {
    using Thunks = LayerThunks<T>;
    using Worker = typename KernelOf<T>::type;
    plait_layer_ops table{};
    table.struct_size = sizeof table;
    table.create = &Thunks::create;
    table.destroy = &destroy_thunk<typename Thunks::Instance>;
    table.forward = &Thunks::forward;
    table.backward = &Thunks::backward;
    if constexpr (PreparesWeights<Worker>) table.prepare = &Thunks::prepare;
    if constexpr (PacksWeights<Worker>) {
      table.pack = &Thunks::pack;
      table.unpack = &Thunks::unpack;
    }
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A layer type and its implementation for the processor.
template <class T>
Entry layer(const char* id) {
  detail::check_layer<T>();
  if constexpr (detail::works_as_layer<T>()) {
    Entry entry = detail::make_entry<T>("layer", id, detail::layer_rules<T>(), kCpu, detail::layer_ops<T>());
    if constexpr (detail::ElementwiseLayer<T>) entry.type.flags |= uint32_t{PLAIT_TYPE_TWO_AXES};
    return entry;
  }
  return {};  // what is wanted has been said, and nothing more is
}

}  // namespace plait::sdk
