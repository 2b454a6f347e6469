// init { }, parameters { } and what train { } says beside rounds: read, written again, refused.
#include <doctest/doctest.h>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

namespace plait::inline pipeline {
namespace {

const std::string kBegin = "source { idx { images: \"a\" labels: \"b\" } }\n";  // line 1
const std::string kEnd = "\nloss { cross_entropy {} } optimizer { sgd {} }\n";

Job good(const std::string& line) {
  auto job = parse_job(test_registry(), kBegin + line + kEnd, "t.txtpb");
  REQUIRE_MESSAGE(job.is_ok(), job.status().message());
  return std::move(job).value();
}

std::string with_init(const std::string& init) {
  return "layer { init { " + init + " } dense { units: 3 } }";
}

void refused(const std::string& line, const std::vector<std::string>& parts) {
  const auto job = parse_job(test_registry(), kBegin + line + kEnd, "t.txtpb");
  REQUIRE_FALSE_MESSAGE(job.is_ok(), line);
  for (const std::string& part : parts) {
    CAPTURE(job.status().message());
    CHECK_MESSAGE(job.status().message().find(part) != std::string::npos, part);
  }
}

}  // namespace

TEST_CASE("a distribution is read and its text gives it again") {
  struct Case {
    const char* written;
    const char* again;
  };
  const std::vector<Case> cases = {
      {"constant { value: 0.5 }", "init { constant { value: 0.5 } parameter: \"weight\" }"},
      {"uniform { low: -1 high: 2 } parameter: \"bias\"",
       "init { uniform { low: -1 high: 2 } parameter: \"bias\" }"},
      {"normal { deviation: 0.02 }", "init { normal { mean: 0 deviation: 0.02 } parameter: \"weight\" }"},
      {"truncated_normal { mean: 1 deviation: 0.02 }",
       "init { truncated_normal { mean: 1 deviation: 0.02 } parameter: \"weight\" }"},
      {"glorot_uniform { }", "init { glorot_uniform { gain: 1 } parameter: \"weight\" }"},
      {"he_normal { fan: out }", "init { he_normal { gain: 1 fan: out } parameter: \"weight\" }"},
      {"lecun_uniform { gain: 2 }", "init { lecun_uniform { gain: 2 fan: in } parameter: \"weight\" }"},
      {"orthogonal { gain: 1.5 }", "init { orthogonal { gain: 1.5 } parameter: \"weight\" }"},
      {"file: \"/data/w.safetensors\" array: \"c1\"",
       "init { file: \"/data/w.safetensors\" array: \"c1\" parameter: \"weight\" }"}};
  for (const Case& one : cases) {
    CAPTURE(one.written);
    const Job job = good(with_init(one.written));
    CHECK_MESSAGE(job.resolved.find(one.again) != std::string::npos, job.resolved);
    auto again = parse_job(test_registry(), job.resolved, "again");
    REQUIRE_MESSAGE(again.is_ok(), again.status().message());
    CHECK(again->resolved == job.resolved);
  }
}

TEST_CASE("an init of nothing, of two things or of nonsense is refused with its place") {
  refused(with_init(""), {"t.txtpb:2:9: error: init says 0 things that a parameter begins with, wanted one",
                          "truncated_normal"});
  refused(with_init("constant { value: 1 } he_normal { }"), {"t.txtpb:2:9", "init says 2 things"});
  refused(with_init("uniform { low: 1 high: 1 }"),
          {"t.txtpb:2:16", "got low 1 and high 1, wanted low < high"});
  refused(with_init("normal { }"), {"deviation"});
  refused(with_init("normal { deviation: 0 }"), {"deviation", "> 0"});
  refused(with_init("he_normal { fan: both }"), {"t.txtpb:2:", "both"});
  refused(with_init("he_normal { gain: 0 }"), {"gain: got 0"});
  refused(with_init("he_normal { } array: \"x\""), {"\"array\" is of a stage or file"});
  refused(with_init("file: \"\""), {"\"file\" names no file"});
  refused(with_init("from: \"nowhere\""), {"nowhere"});
  refused("layer { init { he_normal { } } init { constant { value: 1 } } dense { units: 3 } }",
          {"\"weight\" of a layer begins with two things"});
}

TEST_CASE("parameters by pattern are read, written again and refused") {
  const Job job = good(
      "layer { dense { units: 3 } } parameters { match: \"d*\" frozen: true }\n"
      "parameters { match: \"*.bias\" rate_multiplier: 2 decay: false l1: 0.1 l2: 0 }");
  REQUIRE(job.parameters.size() == 2);
  CHECK(job.parameters[0].frozen == true);
  CHECK_FALSE(job.parameters[0].l1);
  CHECK(job.parameters[1].l1 == 0.1);
  CHECK(job.parameters[1].decay == false);
  CHECK(job.resolved.find("parameters { match: \"d*\" frozen: true }\n"
                          "parameters { match: \"*.bias\" rate_multiplier: 2 decay: false l1: 0.1 l2: 0 }") !=
        std::string::npos);
  const std::string layer = "layer { dense { units: 3 } } ";
  refused(layer + "parameters { match: \"*\" }", {"t.txtpb:2:30", "parameters says nothing of \"*\""});
  refused(layer + "parameters { l1: 1 }", {"match"});
  refused(layer + "parameters { match: \"*\" l2: -1 }", {"l2: got -1"});
  refused(layer + "parameters { match: \"*\" rate_multiplyer: 1 }", {"did you mean \"rate_multiplier\""});
}

TEST_CASE("ranges for 8-bit integers are read, written again and refused") {
  const Job job = good("layer { int8 { low: -0.5 high: 6.25 } dense { units: 3 } }");
  REQUIRE(job.layers.at(0).ranges.size() == 1);
  CHECK(job.layers[0].ranges[0].low == -0.5);
  CHECK(job.layers[0].ranges[0].high == 6.25);
  CHECK(job.resolved.find(" int8 { input: 0 low: -0.5 high: 6.25 } dense {") != std::string::npos);
  const auto with = [](const std::string& text) { return "layer { " + text + " dense { units: 3 } }"; };
  refused(with("int8 { low: 0 }"), {"high"});
  refused(with("int8 { low: 0.5 high: 1 }"), {"low: got 0.5"});
  refused(with("int8 { low: 0 high: -1 }"), {"high: got -1"});
  refused(with("int8 { low: 0 high: inf }"), {"high: got"});
  refused(with("int8 { low: nan high: 1 }"), {"low: got"});
  refused(with("int8 { low: 0 high: 1 } int8 { low: 0 high: 2 }"),
          {"t.txtpb:", "input 0 of a layer has two ranges"});
}

TEST_CASE("what train says beside rounds is read, written again and refused") {
  const std::string layer = "layer { dense { units: 3 } } ";
  const Job job = good(layer +
                       "train { accumulate: 4 clip { global_norm: 2 } average_weights { } "
                       "restore_best: true }");
  CHECK(job.train.accumulate == 4);
  CHECK(job.train.clip.by == ClipSpec::By::kGlobalNorm);
  CHECK(job.train.clip.most == 2);
  CHECK(job.train.average_decay == 0.999);
  CHECK(job.train.restore_best);
  CHECK(job.resolved.find(" accumulate: 4 clip { global_norm: 2 } average_weights { decay: 0.999 } "
                          "restore_best: true") != std::string::npos);
  CHECK(good(layer).resolved.find("accumulate") == std::string::npos);
  CHECK_FALSE(good(layer).train.averages());
  refused(layer + "train { accumulate: 0 }", {"accumulate: got 0"});
  refused(layer + "train { clip { } }", {"got 0, wanted one of value, norm, global_norm"});
  refused(layer + "train { clip { norm: 1 value: 1 } }", {"t.txtpb:2:38", "got 2"});
  refused(layer + "train { clip { norm: 0 } }", {"norm: got 0"});
  refused(layer + "train { average_weights { decay: 1 } }", {"decay: got 1"});
}

}  // namespace plait::inline pipeline
