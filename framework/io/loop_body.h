// Inside of io/: the io_context of a WaitLoop. Includes Asio, so only sources of io/ include it.
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "io/wait_loop.h"

namespace plait::inline io {

struct WaitLoop::Body {
  boost::asio::io_context context;
  // Waiting takes its time, whether or not there is something to wait for.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
      boost::asio::make_work_guard(context);
};

}  // namespace plait::inline io
