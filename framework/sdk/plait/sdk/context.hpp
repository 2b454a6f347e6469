// What the host offers during a call: lanes, cancellation, log, device, extensions.
//
// Threads: [any] within the call that gave the context.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <type_traits>

#include "error.hpp"

namespace plait::sdk {

enum class LogLevel : int32_t { kDebug = 0, kInfo = 1, kWarning = 2 };

class Context {
 public:
  static constexpr uint64_t kDefaultGrain = 8192;

  explicit Context(plait_context* context) : c_(context) {}

  // Threads that this call may use: a number from the pipeline file, never from the machine.
  int lanes() const { return c_->lanes; }

  // Runs body(i), or body(begin, end), over [0, count) in pieces of `grain` elements on up to lanes()
  // threads. Pieces depend on count and grain only, so a sum kept per piece is the same for every number of
  // lanes. The first exception of a body stops pieces that have not begun, and is thrown again here.
  template <class Body>
  void parallel_for(uint64_t count, Body&& body) {
    parallel_for(count, kDefaultGrain, body);
  }
  template <class Body>
  void parallel_for(uint64_t count, uint64_t grain, Body&& body) {
    if (count == 0) return;
    if (count <= grain) return run_piece(body, 0, count);
    Relay<std::remove_reference_t<Body>> relay{&body};
    const int status = c_->parallel_for(c_, count, grain, &relay.run, &relay);
    if (relay.error) std::rethrow_exception(relay.error);
    if (status != PLAIT_OK) throw Cancelled();
  }

  // Long calls ask now and then.
  bool cancelled() const { return c_->cancelled && c_->cancelled(c_) != 0; }
  void stop_if_cancelled() const {
    if (cancelled()) throw Cancelled();
  }

  template <class... Part>
  void log(LogLevel level, const Part&... parts) const {
    if (!c_->log) return;
    const std::string line = text(parts...);
    c_->log(c_, static_cast<int32_t>(level), plait_str{line.data(), line.size()});
  }

  // self of the device plugin that the call runs on, and its stream; null where a kind has none.
  void* device() const { return c_->device; }
  void* stream() const { return c_->stream; }

  // A named extension of this call, else of the host, else null.
  template <class T>
  const T* extension(const char* name) const {
    const void* found = c_->get_extension ? c_->get_extension(c_, name) : nullptr;
    if (!found && c_->host && c_->host->get_extension) found = c_->host->get_extension(name);
    return static_cast<const T*>(found);
  }
  // Augmenters, in open: the sum that fit_observe made over the training data; empty without one.
  std::span<const double> fit() const {
    const auto* found = extension<plait_fit>(PLAIT_EXTENSION_FIT);
    if (!found) return {};
    return {found->state, found->size};
  }

  plait_context* c() const { return c_; }

 private:
  template <class Body>
  static void run_piece(Body& body, uint64_t begin, uint64_t end) {
    if constexpr (std::is_invocable_v<Body&, uint64_t, uint64_t>) {
      body(begin, end);
    } else {
      static_assert(std::is_invocable_v<Body&, uint64_t>, "parallel_for wants body(i) or body(begin, end)");
      for (uint64_t i = begin; i < end; ++i) body(i);
    }
  }

  // An exception must not unwind through the host: it is kept here while the host's loop ends.
  template <class Body>
  struct Relay {
    Body* body;
    std::atomic_flag taken{};
    std::exception_ptr error{};

    static int run(void* user, uint64_t begin, uint64_t end) noexcept {
      auto* relay = static_cast<Relay*>(user);
      try {
        run_piece(*relay->body, begin, end);
        return PLAIT_OK;
      } catch (...) {
        if (!relay->taken.test_and_set()) relay->error = std::current_exception();
        return PLAIT_FAILED;
      }
    }
  };

  plait_context* c_;
};

}  // namespace plait::sdk
