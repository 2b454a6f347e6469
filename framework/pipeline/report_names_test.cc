// Names of losses and metrics in reports: every value has its own.
#include "pipeline/report_names.h"

#include <doctest/doctest.h>

#include "pipeline/load.h"
#include "pipeline/resolved.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

const std::string kBegin =
    "source { idx { images: \"a\" labels: \"b\" } } optimizer { sgd {} }\n"
    "layer { name: \"a\" dense { units: 10 } }\n"
    "layer { name: \"b\" input: \"image\" dense { units: 10 } }\n";  // heads begin at line 4
const std::string kLoss = "loss { cross_entropy {} }\n";

Result<Job> load(const std::string& heads) { return parse_job(test_registry(), kBegin + heads, "t.txtpb"); }

std::string names_of(const Job& job) {
  std::string names;
  for (const ReportedValue& value : reported_values(job)) names += (names.empty() ? "" : " ") + value.name;
  return names;
}

// The names of a job, the same when it is read again as it was resolved.
std::string names(const std::string& heads) {
  const auto job = load(heads);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  const auto again = parse_job(test_registry(), job->resolved, "resolved.txtpb");
  REQUIRE_MESSAGE(again.is_ok(), again.status().message());
  CHECK(names_of(*again) == names_of(*job));
  return names_of(*job);
}

void refused(const std::string& heads, const std::vector<std::string>& parts) {
  const auto job = load(heads);
  REQUIRE_FALSE(job.is_ok());
  for (const std::string& part : parts) {
    CAPTURE(job.status().message());
    CAPTURE(part);
    CHECK(job.status().message().find(part) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("metrics of one type are told apart by their fields, then by their inputs, then by a number") {
  CHECK(names(kLoss + "metric { hits {} }") == "hits loss");
  CHECK(names(kLoss + "metric { hits {} } metric { hits { top: 5 } }") == "hits hits_top5 loss");
  CHECK(names(kLoss + "metric { hits { top: 5 } } metric { hits {} }") == "hits_top5 hits loss");
  CHECK(names(kLoss + "metric { input: \"a\" hits {} } metric { input: \"b\" hits {} }") ==
        "hits:a hits:b loss");
  CHECK(names(kLoss + "metric { hits {} } metric { input: \"a\" hits {} }") == "hits hits:a loss");
  CHECK(names(kLoss + "metric { input: \"a\" hits {} } metric { hits { top: 3 } }") == "hits hits_top3 loss");
  CHECK(names(kLoss + "metric { hits {} } metric { hits {} } metric { hits {} }") ==
        "hits hits_2 hits_3 loss");
  CHECK(names(kLoss + "metric { input: \"a\" hits {} } metric { input: \"a\" target: \"other\" hits {} }") ==
        "hits:a hits:a_2 loss");
  CHECK(names(kLoss + "metric { errors {} } metric { input: \"a\" errors {} }") ==
        "error worst error:a worst:a loss");
}

TEST_CASE("what no report can show of a layer's name is left out of a value's") {
  const std::string layers =
      "layer { name: \"h,'=1\" input: \"image\" dense { units: 10 } }\n"
      "layer { name: \"h_'=1\" input: \"image\" dense { units: 10 } }\n"
      "layer { name: \"o\" input: \"image\" dense { units: 10 } }\n";
  CHECK(names(layers + kLoss +
              "metric { input: \"h,'=1\" hits {} } metric { input: \"h_'=1\" hits {} } metric { hits {} }") ==
        "hits:h_'=1 hits:h_'=1_2 hits loss");
}

TEST_CASE("a written name is taken as it is, and what nobody named gives way to it") {
  CHECK(names(kLoss + "metric { name: \"top\" hits { top: 5 } } metric { hits {} }") == "top hits loss");
  CHECK(names(kLoss + "metric { hits {} } metric { name: \"hits\" input: \"a\" hits {} }") ==
        "hits_2 hits loss");
  CHECK(names(kLoss + "metric { name: \"by\" errors {} }") == "by.error by.worst loss");
}

TEST_CASE("a metric that names its values later has a name of its own, and what lies below it") {
  CHECK(names(kLoss + "metric { parts {} }") == "parts loss");
  CHECK(
      names(kLoss + "metric { parts {} } metric { input: \"a\" parts {} } metric { name: \"p\" parts {} }") ==
      "parts parts:a p loss");
  CHECK(names(kLoss + "metric { parts {} } metric { parts {} }") == "parts parts_2 loss");
  for (const std::string good : {"parts", "parts.cat", "loss"})
    CHECK(load(kLoss + "metric { parts {} } evaluate { monitor: \"" + good + "\" }").is_ok());
  refused(kLoss + "metric { parts {} }\nevaluate { monitor: \"part.cat\" }",
          {"t.txtpb:6:21", "\"part.cat\"", "there are: parts, loss"});
  refused(kLoss + "metric { name: \"p\" parts {} }\nmetric { name: \"p.cat\" hits {} }",
          {"t.txtpb:5:16", "values of metric \"p\" are reported below \"p.\", and another one as \"p.cat\"",
           "the other is at t.txtpb:6:16"});
  CHECK(names(kLoss + "metric { name: \"p\" parts {} } metric { name: \"px.cat\" hits {} }") ==
        "p px.cat loss");
}

TEST_CASE("the memory of rows is read, and written where it is another than usual") {
  const auto job = load(kLoss + "evaluate { memory: 2097152 }");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  CHECK(job->evaluate.memory_bytes == 2097152);
  CHECK(job->resolved.find("memory: 2097152") != std::string::npos);
  CHECK(load(kLoss)->resolved.find("memory:") == std::string::npos);
  refused(kLoss + "evaluate { memory: 5 }", {"t.txtpb:5:20", "memory"});
}

TEST_CASE("several losses are reported beside their total") {
  CHECK(names("loss { input: \"a\" cross_entropy {} } loss { input: \"b\" weight: 2 cross_entropy {} }") ==
        "loss cross_entropy:a cross_entropy:b");
  CHECK(names("loss { cross_entropy {} } loss { cross_entropy {} }") == "loss cross_entropy cross_entropy_2");
  CHECK(names("loss { name: \"main\" cross_entropy {} } loss { mean_squared {} } metric { hits {} }") ==
        "hits loss main mean_squared");
  CHECK(names("loss { name: \"loss\" cross_entropy {} }") == "loss");
}

TEST_CASE("one written name for two values is refused with both places") {
  refused(kLoss + "metric { name: \"m\" hits {} }\nmetric { name: \"m\" hits { top: 2 } }",
          {"t.txtpb:6:16", "\"m\"", "t.txtpb:5:16"});
  refused("loss { name: \"m\" cross_entropy {} } metric { name: \"m\" hits {} }",
          {"t.txtpb:4:52", "t.txtpb:4:14"});
  refused(kLoss + "metric { name: \"loss\" hits {} }", {"t.txtpb:5:16", "\"loss\""});
  refused("loss { name: \"loss\" cross_entropy {} } loss { mean_squared {} }", {"\"loss\""});
  refused(kLoss + "metric { name: \"\" hits {} }", {"t.txtpb:5:16", "empty"});
  refused("loss { name: \"\" cross_entropy {} }", {"t.txtpb:4:14", "empty"});
  for (const std::string bad : {"a,b", "a\\\"b", "a\\\\b"})
    refused(kLoss + "metric { name: \"" + bad + "\" hits {} }", {"t.txtpb:5:16", "no quotes, commas"});
}

TEST_CASE("what a metric adds to its names is checked") {
  refused(kLoss + "metric { hits { top: 7 } }", {"t.txtpb:5", "hits", "letters, digits"});
}

TEST_CASE("a monitor names a value that is reported") {
  const std::string two = kLoss + "metric { hits {} } metric { hits { top: 5 } }\n";
  for (const std::string good : {"hits", "hits_top5", "loss"})
    CHECK(load(two + "evaluate { monitor: \"" + good + "\" }").is_ok());
  refused(
      two + "evaluate { monitor: \"hits_top3\" }",
      {"t.txtpb:6:21", "\"hits_top3\"", "did you mean \"hits_top5\"?", "there are: hits, hits_top5, loss"});
  refused(kLoss + "evaluate { monitor: \"accuracy\" }", {"there are: loss"});
}
