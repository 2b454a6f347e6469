#include "registry/context.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/shown.h"
#include "registry/config.h"

namespace plait::inline registry {
namespace {

void log_warnings(int level, std::string_view text) {
  if (level >= 2) std::fputs(("plait: warning: " + shown_message(text) + "\n").c_str(), stderr);
}

std::atomic<PluginLog> plugin_log{log_warnings};

CallContext& self_of(plait_context* context) { return *static_cast<CallContext*>(context->host_data); }

Code code_of(int32_t error) {
  switch (error) {
    case PLAIT_ERROR_INVALID:
      return Code::kInvalid;
    case PLAIT_ERROR_NOT_FOUND:
      return Code::kNotFound;
    case PLAIT_ERROR_IO:
      return Code::kIo;
    case PLAIT_ERROR_CORRUPT:
      return Code::kCorrupt;
    case PLAIT_ERROR_UNSUPPORTED:
      return Code::kUnsupported;
    case PLAIT_ERROR_NUMERIC:
      return Code::kNumeric;
    case PLAIT_ERROR_CANCELLED:
      return Code::kStopped;
    default:
      return Code::kPlugin;
  }
}

int run_serial(uint64_t count, uint64_t grain, int (*body)(void*, uint64_t, uint64_t), void* user,
               const std::atomic<bool>* cancelled) {
  const uint64_t piece = grain > 0 ? grain : count;
  for (uint64_t begin = 0; begin < count;) {
    const uint64_t end = begin + std::min(piece, count - begin);
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return PLAIT_FAILED;
    if (body(user, begin, end) != PLAIT_OK) return PLAIT_FAILED;
    begin = end;
  }
  return PLAIT_OK;
}

}  // namespace

void set_plugin_log(PluginLog log) { plugin_log = log ? log : log_warnings; }

CallContext::CallContext(int lanes, ParallelFor parallel_for, const std::atomic<bool>* cancelled)
    : parallel_for_(parallel_for), cancelled_(cancelled) {
  context_.struct_size = sizeof context_;
  context_.lanes = lanes;
  context_.host = &host_table();
  context_.host_data = this;
  context_.fail = fail;
  context_.parallel_for = run_parallel;
  context_.cancelled = is_cancelled;
  context_.log = log;
  context_.get_extension = extension;
}

Status CallContext::status(int code) {
  Status result;
  if (code != PLAIT_OK) {
    result = {code_of(error_code_), text_.empty() ? "the plugin gave no reason" : shown_message(text_)};
  }
  if (failing_.test()) {
    text_.clear();
    error_code_ = 0;
    failing_.clear();
  }
  return result;
}

Status CallContext::thrown_status(const char* what) {
  error_code_ = PLAIT_ERROR_EXCEPTION;
  text_ = std::string("the plugin let an exception out: ") + what;
  failing_.test_and_set();
  return status(PLAIT_FAILED);
}

// The first failure of a call is kept. Others may come at the same time from inside parallel_for; whoever
// reads does so after parallel_for has returned.
void CallContext::fail(plait_context* context, int32_t code, plait_str text) {
  CallContext& self = self_of(context);
  if (self.failing_.test_and_set()) return;
  self.error_code_ = code;
  try {
    if (text.data != nullptr) self.text_.assign(text.data, text.size);
  } catch (const std::bad_alloc&) {
    self.text_.clear();
  }
}

int CallContext::run_parallel(plait_context* context, uint64_t count, uint64_t grain,
                              int (*body)(void*, uint64_t, uint64_t), void* user) {
  const CallContext& self = self_of(context);
  if (self.parallel_for_ == nullptr) return run_serial(count, grain, body, user, self.cancelled_);
  return self.parallel_for_(count, grain, context->lanes, body, user, self.cancelled_);
}

int32_t CallContext::is_cancelled(plait_context* context) {
  const CallContext& self = self_of(context);
  return self.cancelled_ != nullptr && self.cancelled_->load(std::memory_order_relaxed);
}

void CallContext::log(plait_context*, int32_t level, plait_str text) {
  if (text.data != nullptr) plugin_log.load()(level, {text.data, text.size});
}

const void* CallContext::extension(plait_context* context, const char* name) {
  const CallContext& self = self_of(context);
  if (name == nullptr) return nullptr;
  if (std::strcmp(name, PLAIT_EXTENSION_FIT) == 0) return self.fit_;
  if (std::strcmp(name, self.extension_name_) == 0) return self.extension_;
  if (context->device == nullptr || !PLAIT_HAS(self.device_ops_, get_extension)) return nullptr;
  return self.device_ops_->get_extension(context->device, name);
}

}  // namespace plait::inline registry
