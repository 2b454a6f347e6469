// oneDNN for plugins that are made with ONEDNN: primitives with arguments whose memory is given call by call,
// without maps and allocations of ours; what they absorb; and what decides their bits.
//
// Primitives take the threads of the arena that they are made in, and their bits follow from that number: a
// layer makes them in create(), whose arena has the job's lanes. Threads: run [any]; what a call needs
// besides is pooled, and made anew only while more calls run at once than ever before.
#pragma once
#include <array>
#include <atomic>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <plait/implementation.hpp>
#include <plait/sdk.hpp>
#include <plait/simd.hpp>

namespace plait::sdk {

// Throws what oneDNN's status says.
inline void check_onednn(dnnl_status_t status, const char* what) {
  if (status == dnnl_out_of_memory) throw Error(ErrorCode::kMemory, "oneDNN ", what, ": no memory");
  if (status != dnnl_success) throw Error("oneDNN ", what, ": status ", static_cast<int>(status));
}

class OneDnnCall {
 public:
  static constexpr size_t kMostArguments = 16;  // and the scratchpad
  struct Argument {
    int name;  // DNNL_ARG_*
    dnnl::memory::desc desc;
  };

  OneDnnCall() = default;
  OneDnnCall(const dnnl::engine& engine, const dnnl::primitive& primitive, std::vector<Argument> arguments,
             const dnnl::memory::desc& scratchpad)
      : engine_(engine), primitive_(primitive), arguments_(std::move(arguments)) {
    scratchpad_bytes_ = scratchpad.get_size();
    arguments_.push_back({DNNL_ARG_SCRATCHPAD, scratchpad});
    release(make());
  }
  ~OneDnnCall() {
    for (auto& slot : slots_) delete slot.load();
  }
  OneDnnCall(const OneDnnCall&) = delete;
  OneDnnCall& operator=(const OneDnnCall&) = delete;

  size_t scratchpad_bytes() const { return scratchpad_bytes_; }
  // What it was made of, the scratchpad last among the arguments; onednn_notes.hpp puts it into words.
  const dnnl::primitive& primitive() const { return primitive_; }
  const std::vector<Argument>& arguments() const { return arguments_; }

  // Memory in the order of the arguments, then the scratchpad.
  void run(std::initializer_list<const void*> memory, void* scratchpad) const {
    run(std::span(memory.begin(), memory.size()), scratchpad);
  }
  void run(std::span<const void* const> memory, void* scratchpad) const {
    Execution* const e = acquire();
    size_t i = 0;
    for (const void* place : memory) e->memory[i++].set_data_handle(const_cast<void*>(place));
    e->memory[i].set_data_handle(scratchpad);
    const auto count = static_cast<int>(arguments_.size());
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), e->stream.get(), count, e->arguments.data());
    e->stream.wait();
    release(e);
    check_onednn(status, "execute");
  }

 private:
  struct Execution {
    dnnl::stream stream;
    std::vector<dnnl::memory> memory;
    std::vector<dnnl_exec_arg_t> arguments;
  };

  Execution* make() const {
    auto e = std::make_unique<Execution>();
    e->stream = dnnl::stream(engine_);
    for (const Argument& a : arguments_) {
      e->memory.emplace_back(a.desc, engine_, nullptr);
      e->arguments.push_back({a.name, e->memory.back().get()});
    }
    return e.release();
  }
  Execution* acquire() const {
    for (auto& slot : slots_) {
      if (Execution* e = slot.exchange(nullptr)) return e;
    }
    return make();
  }
  void release(Execution* e) const {
    for (auto& slot : slots_) {
      Execution* empty = nullptr;
      if (slot.compare_exchange_strong(empty, e)) return;
    }
    delete e;
  }

  dnnl::engine engine_;
  dnnl::primitive primitive_;
  std::vector<Argument> arguments_;
  size_t scratchpad_bytes_ = 0;
  mutable std::array<std::atomic<Execution*>, 64> slots_{};
};

// Whether oneDNN has instructions for bf16 here: without them it would emulate it, or lack all but reference
// loops.
inline bool onednn_has_bf16() {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

// Of activations.
inline dnnl::memory::data_type onednn_type(DType type) {
  return type == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// Whether a primitive of reals may apply f to what it writes: oneDNN's relu of slope 0 makes 0 of a NaN, so
// that it is left to the loops of activation.hpp after the primitive.
inline bool onednn_keeps_nan(const Activation& f) {
  return f.kind != Activation::Kind::kRelu || f.alpha != 0;
}

// Scratchpads are the caller's; f is applied to what the primitive writes.
inline dnnl::primitive_attr onednn_attributes(const Activation& f) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  using Kind = Activation::Kind;
  using Algorithm = dnnl::algorithm;
  if (f.kind == Kind::kIdentity) return attr;
  const Algorithm algorithm = f.kind == Kind::kRelu      ? Algorithm::eltwise_relu
                              : f.kind == Kind::kTanh    ? Algorithm::eltwise_tanh
                              : f.kind == Kind::kSigmoid ? Algorithm::eltwise_logistic
                                                         : Algorithm::eltwise_linear;
  dnnl::post_ops after;
  after.append_eltwise(algorithm, f.alpha, f.beta);
  attr.set_post_ops(after);
  return attr;
}

// Weights that a primitive wants in another order than they are stored in, or makes in one.
class OneDnnWeights {
 public:
  // Before a call: of `stored` weights those in the order `wanted`.
  void read(const dnnl::engine& engine, const dnnl::memory::desc& stored, const dnnl::memory::desc& wanted) {
    set(engine, stored, wanted, wanted);
  }
  // After a call: of weights in the order `made` the `stored` ones.
  void write(const dnnl::engine& engine, const dnnl::memory::desc& made, const dnnl::memory::desc& stored) {
    set(engine, made, stored, made);
  }
  const dnnl::memory::desc& desc() const { return desc_; }               // the primitive's
  const std::optional<OneDnnCall>& reorder() const { return reorder_; }  // none: nothing is turned
  bool turns() const { return reorder_.has_value(); }
  // Bytes: of the place for what is turned, and of the scratchpad for turning; 0 where nothing is.
  size_t bytes() const { return turns() ? size_t{round_up(Checked(desc_.get_size()), 64)} : 0; }
  size_t scratchpad_bytes() const { return turns() ? reorder_->scratchpad_bytes() : 0; }

  // The stored weights as the primitive wants them, in its order and type: turned into `place`, or they
  // themselves.
  const void* turned(const float* stored, void* place, void* scratchpad) const {
    if (!turns()) return stored;
    reorder_->run({stored, place}, scratchpad);
    return place;
  }
  // Where a primitive makes them, and then their way to where they are stored.
  float* made_in(float* stored, void* place) const { return turns() ? static_cast<float*>(place) : stored; }
  void store(const void* place, float* stored, void* scratchpad) const {
    if (turns()) reorder_->run({place, stored}, scratchpad);
  }

 private:
  void set(const dnnl::engine& engine, const dnnl::memory::desc& from, const dnnl::memory::desc& to,
           const dnnl::memory::desc& of_primitive) {
    desc_ = of_primitive;
    if (from == to) return;
    const dnnl::reorder::primitive_desc pd(engine, from, engine, to, onednn_attributes({}));
    reorder_.emplace(engine, dnnl::reorder(pd),
                     std::vector<OneDnnCall::Argument>{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}},
                     pd.scratchpad_desc());
  }

  dnnl::memory::desc desc_;
  std::optional<OneDnnCall> reorder_;
};

inline std::string onednn_isa_name(dnnl_cpu_isa_t isa) {
  struct Named {
    dnnl_cpu_isa_t isa;
    const char* name;
  };
  static constexpr Named kNames[] = {{dnnl_cpu_isa_sse41, "sse41"},
                                     {dnnl_cpu_isa_avx, "avx"},
                                     {dnnl_cpu_isa_avx2, "avx2"},
                                     {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
                                     {dnnl_cpu_isa_avx2_vnni_2, "avx2_vnni_2"},
                                     {dnnl_cpu_isa_avx512_core, "avx512_core"},
                                     {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
                                     {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
                                     {dnnl_cpu_isa_avx512_core_fp16, "avx512_core_fp16"},
                                     {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
                                     {dnnl_cpu_isa_avx512_core_amx_fp16, "avx512_core_amx_fp16"}};
  for (const Named& known : kNames)
    if (known.isa == isa) return known.name;
  return "number " + std::to_string(static_cast<int>(isa));
}

// What of oneDNN decides the bits here, for numerics(): version, threading, the instruction set that it
// takes, its mathematics.
inline std::string onednn_facts() {
  const dnnl_version_t& version = *dnnl_version();
  dnnl_fpmath_mode_t mode = dnnl_fpmath_mode_strict;
  const dnnl::primitive_attr attr;  // takes the default of the environment
  check_onednn(dnnl_primitive_attr_get_fpmath_mode(attr.get(), &mode), "get_fpmath_mode");
  std::string text = "oneDNN: " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                     std::to_string(version.patch) + " (" + version.hash + ")\n";
  text += "oneDNN threading: " + std::to_string(version.cpu_runtime) + "\n";
  text += "oneDNN instruction set: " + onednn_isa_name(dnnl_get_effective_cpu_isa()) +
          (dnnl_get_cpu_isa_hints() == dnnl_cpu_isa_prefer_ymm ? ", prefers ymm" : "") + "\n";
  return text + "oneDNN mathematics: " + (mode == dnnl_fpmath_mode_strict ? "strict" : std::to_string(mode)) +
         "\n";
}

}  // namespace plait::sdk
