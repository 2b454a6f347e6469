#include "mapreduce/stoppable_work.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "cluster/local_transport.h"

namespace plait::inline mapreduce {
namespace {

using Body = std::function<Status(Transport&, StoppableWork&)>;

std::vector<Status> on_ranks(int size, const Body& body) {
  auto world = make_local_world(size);
  std::vector<Status> statuses(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r) {
    threads.emplace_back([&, r, rank = std::move(world[r])] {
      StoppableWork work(*rank);
      statuses[r] = body(*rank, work);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return statuses;
}

Status until_cancelled(const std::atomic<bool>& cancelled) {
  while (!cancelled) std::this_thread::yield();
  return {Code::kStopped, "cancelled"};
}

TEST_CASE("work gives what it returned, on a thread of its own") {
  const auto transport = single();
  StoppableWork work(*transport);
  for (int i = 0; i < 100; ++i) {
    std::thread::id thread;
    CHECK(work.run([&] { return thread = std::this_thread::get_id(), Status(); }));
    CHECK(thread != std::this_thread::get_id());
  }
  CHECK(work.run([] { return Status(Code::kIo, "no"); }).code() == Code::kIo);
  CHECK_FALSE(work.is_caught());
}

TEST_CASE("who says that it was stopped, and was not, has failed") {
  const auto transport = single();
  StoppableWork work(*transport);
  const Status status = work.run([] { return Status(Code::kStopped, "enough"); });
  CHECK(status.code() == Code::kPlugin);
  CHECK(status.message() == "enough; nobody had asked it to stop");
}

TEST_CASE("the stop of one rank ends the endless work of all, and no work begins after it") {
  for (int size = 1; size <= 3; ++size) {
    const auto statuses = on_ranks(size, [](Transport& world, StoppableWork& work) -> Status {
      std::atomic<bool> stop = false;
      world.set_stop([&] { return stop.load(); });
      const Status status = work.run([&] {
        if (world.rank() == world.size() - 1) stop = true;
        return until_cancelled(work.cancelled());
      });
      CHECK_FALSE(work.is_caught());
      CHECK(world.barrier());  // the world goes on
      bool begun = false;
      CHECK(work.run([&] { return begun = true, Status(); }).code() == Code::kStopped);
      CHECK_FALSE(begun);
      return status;
    });
    for (const Status& status : statuses) CHECK(status.code() == Code::kStopped);
  }
}

TEST_CASE("a rank that is done and waits is met by those that abandon") {
  const auto statuses = on_ranks(2, [](Transport& world, StoppableWork& work) -> Status {
    if (world.rank() == 0) {  // asked to stop while it waits in a collective
      PLAIT_TRY(work.run([] { return Status(); }));
      world.set_stop([] { return true; });
      return world.barrier();
    }
    return work.run([&] { return until_cancelled(work.cancelled()); });
  });
  for (const Status& status : statuses) CHECK(status.code() == Code::kStopped);
}

TEST_CASE("work that is done when the stop comes is kept") {
  const auto transport = single();
  StoppableWork work(*transport);
  std::atomic<bool> stop = false;
  transport->set_stop([&] { return stop.load(); });
  CHECK(work.run([&] {
    stop = true;
    while (!work.cancelled()) std::this_thread::yield();
    return Status();
  }));
  CHECK(work.run([] { return Status(); }).code() == Code::kStopped);
}

TEST_CASE("work that does not come back is left, and waited for at the end") {
  const auto transport = single();
  std::atomic<bool> released = false, ended = false;
  {
    StoppableWork work(*transport);
    bool asked = false;
    transport->set_stop([&] { return std::exchange(asked, true); });
    const Status status = work.run([&] {
      while (!released) std::this_thread::yield();
      ended = true;
      return Status();
    });
    CHECK(status.code() == Code::kStopped);
    CHECK(work.is_caught());
    CHECK_FALSE(ended);
    CHECK(work.run([] { return Status(); }).code() == Code::kStopped);
    released = true;
  }
  CHECK(ended);
}

}  // namespace
}  // namespace plait::inline mapreduce
