#include "io/io_context.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace plait;

namespace {

struct TestJob final : IoContext::Job {
  explicit TestJob(std::function<void()> does) : work(std::move(does)) {}
  void run() override { work(); }
  void failed(const char* reason) noexcept override { why = reason; }
  std::function<void()> work;
  std::string why;
};

std::unique_ptr<IoContext> make() { return std::move(IoContext::create()).value(); }

}  // namespace

TEST_CASE("jobs run in the order of posting, on one thread that is not the caller's") {
  constexpr int kJobs = 1000;
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  std::vector<std::unique_ptr<TestJob>> jobs;
  for (int i = 0; i < kJobs; ++i)
    jobs.push_back(std::make_unique<TestJob>([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    }));
  {
    const auto context = make();
    for (const auto& job : jobs) context->post(*job);
  }
  REQUIRE(order.size() == kJobs);  // the destructor waits for all
  for (int i = 0; i < kJobs; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  for (const auto& thread : threads) CHECK(thread == threads.front());
  CHECK(threads.front() != std::this_thread::get_id());
}

TEST_CASE("a job can be posted again, by itself and by others") {
  std::atomic<int> runs{0};
  std::promise<void> done;
  const auto context = make();
  TestJob job([&] {
    if (++runs < 100)
      context->post(job);
    else
      done.set_value();
  });
  context->post(job);
  done.get_future().wait();
  CHECK(runs == 100);
}

TEST_CASE("an exception ends a job and nothing else") {
  TestJob bad([] { throw std::runtime_error("no disk"); });
  TestJob worse([] { throw 3; });
  std::atomic<bool> ran = false;
  TestJob good([&] { ran = true; });
  {
    const auto context = make();
    for (TestJob* job : {&bad, &worse, &good}) context->post(*job);
  }
  CHECK(bad.why == "no disk");
  CHECK(worse.why == "an exception that is no std::exception");
  CHECK(good.why.empty());
  CHECK(ran);
}

TEST_CASE("the end waits for a job that waits") {
  std::promise<void> go;
  std::atomic<bool> done = false;
  TestJob job([&] {
    go.get_future().wait();
    done = true;
  });
  auto context = make();
  context->post(job);
  std::thread other([&] { go.set_value(); });
  context.reset();
  CHECK(done);
  other.join();
}
