// CallContext: the plait_context of a run of calls into plugins, and what they reported through it.
#pragma once
#include <plait/abi.h>

#include <atomic>
#include <exception>
#include <string>
#include <string_view>

#include "base/status.h"

namespace plait::inline registry {

// Runs `body` over the pieces of [0, count); supplied by graph/ so that registry/ needs no threads. See
// plait_context.
using ParallelFor = int (*)(uint64_t count, uint64_t grain, int lanes,
                            int (*body)(void* user, uint64_t begin, uint64_t end), void* user,
                            const std::atomic<bool>* cancelled);

// Where the texts that plugins log go; level as in plait_context.log. Before set_plugin_log: warnings to
// stderr. Threads: set_plugin_log [setup only]; the function itself [any].
using PluginLog = void (*)(int level, std::string_view text);
void set_plugin_log(PluginLog log);

// Threads: one thread uses a CallContext at a time (make one per lane and reuse it: construction is cheap,
// calls do not allocate unless they fail); fail, cancelled and log may be called from inside parallel_for on
// several threads.
class CallContext {
 public:
  explicit CallContext(int lanes = 1, ParallelFor parallel_for = nullptr /* serial */,
                       const std::atomic<bool>* cancelled = nullptr);
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  plait_context* raw() { return &context_; }
  // The device that calls run on, and their stream. `ops`: its table, whose extensions the calls then find.
  void set_device(const plait_device_ops* ops, void* device, void* stream) {
    device_ops_ = ops, context_.device = device, context_.stream = stream;
  }
  // Who runs the loops of calls from now on.
  void set_parallel_for(ParallelFor parallel_for) { parallel_for_ = parallel_for; }
  // What get_extension("plait.fit/1") answers; null: nothing.
  void set_fit(const plait_fit* fit) { fit_ = fit; }
  // What get_extension answers to one more name, which lives as long as this.
  void set_extension(const char* name, const void* extension) {
    extension_name_ = name, extension_ = extension;
  }

  // Status of a call that returned `code`: ok for 0, else what fail said ("plugin gave no reason" when
  // silent), with Code::kPlugin, or kNumeric/kCorrupt/kIo/kNotFound/kUnsupported/kInvalid/kStopped for the
  // ABI's codes. Clears it.
  Status status(int code);
  // status(function()), where an exception that `function` lets out is a failure of code
  // PLAIT_ERROR_EXCEPTION.
  template <class Function>
  Status call(Function&& function) {
    try {
      return status(function());
    } catch (const std::exception& thrown) {
      return thrown_status(thrown.what());
    } catch (...) {
      return thrown_status("something that is no std::exception");
    }
  }
  int32_t error_code() const { return error_code_; }  // PLAIT_ERROR_* of the failure not yet taken, 0 if none

 private:
  Status thrown_status(const char* what);
  static void fail(plait_context* context, int32_t code, plait_str text);
  static int run_parallel(plait_context* context, uint64_t count, uint64_t grain,
                          int (*body)(void*, uint64_t, uint64_t), void* user);
  static int32_t is_cancelled(plait_context* context);
  static void log(plait_context* context, int32_t level, plait_str text);
  static const void* extension(plait_context* context, const char* name);

  plait_context context_{};
  ParallelFor parallel_for_;
  const std::atomic<bool>* cancelled_;
  const plait_fit* fit_ = nullptr;
  const plait_device_ops* device_ops_ = nullptr;
  const char* extension_name_ = "";
  const void* extension_ = nullptr;
  std::atomic_flag failing_ = ATOMIC_FLAG_INIT;
  int32_t error_code_ = 0;
  std::string text_;
};

}  // namespace plait::inline registry
