#include "io/io_context.h"

#include <boost/asio/post.hpp>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "io/thread_body.h"

namespace plait::inline io {
namespace {

// Asio asks for the memory of one handler, and gives it back before it calls the handler: so the memory lies
// in the job.
template <class T>
struct JobMemory {
  using value_type = T;
  std::byte* memory;
  size_t bytes;

  JobMemory(std::byte* at, size_t size) : memory(at), bytes(size) {}
  template <class U>
  JobMemory(const JobMemory<U>& other) noexcept : memory(other.memory), bytes(other.bytes) {}
  template <class U>
  bool operator==(const JobMemory<U>& other) const noexcept {
    return memory == other.memory;
  }

  T* allocate(size_t count) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    if (count * sizeof(T) <= bytes) return reinterpret_cast<T*>(memory);
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* at, size_t) noexcept {
    if (reinterpret_cast<std::byte*>(at) != memory) ::operator delete(at);
  }
};

struct RunJob {
  using allocator_type = JobMemory<std::byte>;
  IoContext::Job* job;
  allocator_type memory;

  allocator_type get_allocator() const noexcept { return memory; }
  void operator()() const {
    try {
      job->run();
    } catch (const std::exception& thrown) {
      job->failed(thrown.what());
    } catch (...) {
      job->failed("an exception that is no std::exception");
    }
  }
};

}  // namespace

Result<std::unique_ptr<IoContext>> IoContext::create() {
  try {
    return std::unique_ptr<IoContext>(new IoContext(std::make_unique<Body>()));
  } catch (const std::exception& refused) {
    return {Code::kIo, std::string("a thread cannot be begun: ") + refused.what()};
  }
}

IoContext::IoContext(std::unique_ptr<Body> body) : body_(std::move(body)) {}
IoContext::~IoContext() = default;

void IoContext::post(Job& job) {
  boost::asio::post(body_->context, RunJob{&job, {job.memory_, Job::kMemory_bytes}});
}

}  // namespace plait::inline io
