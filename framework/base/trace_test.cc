#include "base/trace.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>

namespace plait::inline base {
namespace {

TEST_CASE("spans of all threads are noted while a trace is on, and no others") {
  { const TraceSpan before("test", "before"); }
  Trace::begin();
  {
    const TraceSpan outer("test", "outer", 7);
    std::thread other([] { const TraceSpan span("test", std::string(100, 'x')); });
    other.join();
  }
  const Trace::Noted noted = Trace::end();
  { const TraceSpan after("test", "after"); }
  REQUIRE(noted.events.size() == 2);
  CHECK(noted.lost == 0);
  const TraceEntry &inner = noted.events[0], &outer = noted.events[1];
  CHECK(std::string(inner.name.data()) == std::string(TraceEntry::kMostName, 'x'));
  CHECK(inner.number == -1);
  CHECK(std::string(outer.name.data()) == "outer");
  CHECK(std::string(outer.category) == "test");
  CHECK(outer.number == 7);
  CHECK(inner.thread != outer.thread);
  CHECK(outer.begin_ns <= inner.begin_ns);
  CHECK(inner.begin_ns + inner.length_ns <= outer.begin_ns + outer.length_ns);
  CHECK(Trace::end().events.empty());
}

TEST_CASE("a trace that is full counts what it loses") {
  Trace::begin(3);
  for (int i = 0; i < 5; ++i) const TraceSpan span("test", "one of five", i);
  const Trace::Noted noted = Trace::end();
  CHECK(noted.events.size() == 3);
  CHECK(noted.lost == 2);
}

}  // namespace
}  // namespace plait::inline base
