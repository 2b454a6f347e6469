// One oneDNN primitive with arguments whose memory is given call by call, without maps and allocations of
// ours.
#pragma once
#include <array>
#include <atomic>
#include <dnnl.hpp>
#include <memory>
#include <vector>

#include <plait/sdk.hpp>

namespace convolution {

// Throws what oneDNN's status says.
inline void check(dnnl_status_t status, const char* what) {
  if (status == dnnl_out_of_memory)
    throw plait::sdk::Error(plait::sdk::ErrorCode::kMemory, "oneDNN ", what, ": no memory");
  if (status != dnnl_success) throw plait::sdk::Error("oneDNN ", what, ": status ", static_cast<int>(status));
}

class OneDnnCall {
 public:
  static constexpr size_t kMostArguments = 5;  // and the scratchpad
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

  // Memory in the order of the arguments, then the scratchpad.
  void run(std::initializer_list<const void*> memory, void* scratchpad) const {
    Execution* const e = acquire();
    size_t i = 0;
    for (const void* place : memory) e->memory[i++].set_data_handle(const_cast<void*>(place));
    e->memory[i].set_data_handle(scratchpad);
    const auto count = static_cast<int>(arguments_.size());
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), e->stream.get(), count, e->arguments.data());
    e->stream.wait();
    release(e);
    check(status, "execute");
  }

 private:
  struct Execution {
    dnnl::stream stream;
    std::vector<dnnl::memory> memory;
    std::array<dnnl_exec_arg_t, kMostArguments + 1> arguments;
  };

  Execution* make() const {
    auto e = std::make_unique<Execution>();
    e->stream = dnnl::stream(engine_);
    for (const Argument& a : arguments_) {
      e->memory.emplace_back(a.desc, engine_, nullptr);
      e->arguments[e->memory.size() - 1] = {a.name, e->memory.back().get()};
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

}  // namespace convolution
