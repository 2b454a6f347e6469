#include "io/wait_loop.h"

#include <exception>
#include <string>
#include <utility>

#include "io/loop_body.h"

namespace plait::inline io {

Result<WaitLoop> WaitLoop::create() {
  try {
    return WaitLoop(std::make_unique<Body>());
  } catch (const std::exception& refused) {
    return {Code::kIo, std::string("nothing can be waited for: ") + refused.what()};
  }
}

WaitLoop::WaitLoop(std::unique_ptr<Body> body) : body_(std::move(body)) {}
WaitLoop::WaitLoop(WaitLoop&& other) noexcept = default;
WaitLoop::~WaitLoop() = default;

bool WaitLoop::wait(std::chrono::nanoseconds patience) { return body_->context.run_one_for(patience) > 0; }

}  // namespace plait::inline io
