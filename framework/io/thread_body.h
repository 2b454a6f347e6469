// Inside of io/: the io_context of an IoContext, and its thread. Includes Asio, so only sources of io/
// include it.
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "io/io_context.h"

namespace plait::inline io {

struct IoContext::Body {
  Body() : thread([this] { serve(); }) {}
  // What has been posted runs; timers, signals and the like are the owner's to cancel.
  ~Body() {
    guard.reset();
    thread.join();
  }

  // A handler that throws ends itself, not the thread.
  void serve() {
    for (;;) {
      try {
        context.run();
        return;
      } catch (...) {
      }
    }
  }

  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
      boost::asio::make_work_guard(context);
  std::thread thread;  // last: it uses the others
};

}  // namespace plait::inline io
