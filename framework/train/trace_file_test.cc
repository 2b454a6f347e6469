#include "train/trace_file.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cluster/local_transport.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

TEST_CASE("a trace is one JSON file with a line for each span") {
  Trace::begin(2);
  { const TraceSpan span("map", "say \"a\\b\"", 3); }
  { const TraceSpan span("map", "second"); }
  { const TraceSpan span("map", "lost"); }
  MemoryFiles files;
  const auto world = single();
  const auto note = write_trace("trace.json", *world, files);
  REQUIRE(note);
  CHECK(*note == "the trace was full: 1 of its events are not in trace.json");
  const auto json = nlohmann::json::parse(*files.read("trace.json"));
  std::vector<nlohmann::json> spans;
  for (const auto& event : json.at("traceEvents"))
    if (event.at("ph") == "X") spans.push_back(event);
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].at("name") == "say \"a\\b\"");
  CHECK(spans[0].at("cat") == "map");
  CHECK(spans[0].at("pid") == 0);
  CHECK(spans[0].at("args").at("number") == 3);
  CHECK(spans[0].at("dur").get<double>() >= 0);
  CHECK(spans[1].at("ts").get<double>() >= spans[0].at("ts").get<double>());
  CHECK(spans[1].at("args").empty());
}

TEST_CASE("a trace that cannot be written is an error") {
  MemoryFiles files;
  files.fail_change(1);
  const auto world = single();
  CHECK(begin_trace("trace.json", *world, files).code() == Code::kIo);
  CHECK(begin_trace("trace.json", *world, files));
  files.fail_change(1);
  CHECK(write_trace("trace.json", *world, files).status().code() == Code::kIo);
}

TEST_CASE("a run that fails leaves no trace of it, and one that was not begun the earlier one") {
  const Job job = train_job("shards: 4 local_steps: 3 batch: 4 epochs: 2");
  RunOptions options;
  options.trace = "trace.json";
  TestWorld counting;
  REQUIRE(counting.run(job, 1, 1, options).is_ok());
  CHECK(counting.files.exists("trace.json"));
  const uint64_t changes = counting.files.changes();
  for (const uint64_t k : {uint64_t{1}, uint64_t{2}, changes - 1, changes}) {
    TestWorld world;
    REQUIRE(world.files.write_atomically("trace.json", "earlier").is_ok());
    world.files.fail_change(k);
    CAPTURE(k);
    CHECK_FALSE(world.run(job, 1, 1, options).is_ok());
    if (k == 1)
      CHECK(*world.files.read("trace.json") == "earlier");
    else
      CHECK_FALSE(world.files.exists("trace.json"));
  }
}

}  // namespace
}  // namespace plait::inline train
