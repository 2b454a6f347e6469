// repeat { }: what it makes, and every mistake that can be made with it.
#include "pipeline/repeat.h"

#include <doctest/doctest.h>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

const std::string kBegin = "source { idx { images: \"a\" labels: \"b\" } }\n";  // line 1
const std::string kEnd = "\nloss { cross_entropy {} } optimizer { sgd {} }\n";

constexpr auto kSet = JobChange::Kind::kSet;

Result<Job> load(const std::string& line, const JobOptions& options = {}) {
  return parse_job(test_registry(), kBegin + line + kEnd, "t.txtpb", options);
}

Job good(const std::string& line, const JobOptions& options = {}) {
  auto job = load(line, options);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  return *job;
}

// Errors of a job whose second line is `line`.
std::string errors_at(const std::string& line, const JobOptions& options = {}) {
  const auto job = load(line, options);
  CHECK_FALSE(job.is_ok());
  return job.status().message();
}

void says(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

size_t count_errors(const std::string& text) {
  size_t found = 0;
  for (size_t at = text.find(": error: "); at != std::string::npos; at = text.find(": error: ", at + 1))
    ++found;
  return found;
}

std::string names_of(const Job& job) {
  std::string names;
  for (const LayerSpec& layer : job.layers) names += (names.empty() ? "" : " ") + layer.name;
  return names;
}

int64_t whole(const PluginSpec& plugin, const char* field) {
  return std::get<int64_t>(plugin.config->find(field)->values.at(0));
}

}  // namespace

TEST_CASE("a repeat stands for its fields, count times, with a number in names and arithmetic") {
  const Job job = good(
      "repeat { count: 3 as: \"i\" layer { name: \"c${i}\" convolution { filters: ${16 * i} } }\n"
      "layer { name: \"r$i\" relu {} } }");
  CHECK(names_of(job) == "c1 r1 c2 r2 c3 r3");
  CHECK(whole(job.layers[4].plugin, "filters") == 48);
  CHECK(job.layers[2].inputs[0].layer == "r1");
  CHECK(job.layers[0].inputs[0].layer == "");
  CHECK(job.layers[4].where.text() == "t.txtpb:2:27, i = 3");
}

TEST_CASE("the layer of the iteration before is named by arithmetic") {
  const Job job = good(
      "layer { name: \"b0\" relu {} }\n"
      "repeat { count: 2 as: \"i\" layer { name: \"c${i}\" input: \"b${i - 1}\" relu {} }\n"
      "layer { name: \"b${i}\" input: [\"c$i\", \"b${i - 1}\"] add {} } }");
  CHECK(names_of(job) == "b0 c1 b1 c2 b2");
  CHECK(job.layers[4].inputs[1].layer == "b1");
}

TEST_CASE("a repeat's resolved text is without repeats and reads back the same") {
  const Job job = good("repeat { count: 2 as: \"i\" layer { name: \"c${i}\" dense { units: $i } } }");
  CHECK(job.resolved.find("repeat") == std::string::npos);
  CHECK(job.resolved.find('$') == std::string::npos);
  const auto again = parse_job(test_registry(), job.resolved, "r.txtpb");
  REQUIRE(again.is_ok());
  CHECK(again->resolved == job.resolved);
}

TEST_CASE("count from a variable, zero, from and step, without a variable") {
  const std::string by_var =
      "var { name: \"depth\" value: 2 } layer { relu {} } "
      "repeat { as: \"i\" count: ${depth * 2} layer { name: \"d${i}\" relu {} } }";
  CHECK(names_of(good(by_var)) == "relu_1 d1 d2 d3 d4");
  CHECK(names_of(good(by_var, {{{"depth", "1"}}, {}, true})) == "relu_1 d1 d2");
  CHECK(names_of(good(by_var, {{{"depth", "0"}}, {}, true})) == "relu_1");
  CHECK(names_of(good("repeat { count: 3 as: \"i\" from: 4 step: -2 layer { name: \"d${i}\" relu {} } }")) ==
        "d4 d2 d0");
  CHECK(names_of(good("repeat { count: 2 layer { relu {} } layer { add {} input: [\"a\", \"b\"] } }")) ==
        "relu_1 add_2 relu_3 add_4");
}

TEST_CASE("repeats in repeats, in lists and in blocks; also where a block is no layer") {
  CHECK(names_of(good("repeat { count: 2 as: \"i\" repeat { count: $i as: \"j\" layer { name: \"l${i}_${j}\" "
                      "relu {} } } layer { name: \"e$i\" relu {} } }")) == "l1_1 e1 l2_1 l2_2 e2");
  const Job job = good(
      "augment { one_of { repeat { count: 3 as: \"i\" child { affine { rotate: ${5 * i} } } } } }\n"
      "repeat { count: 2 as: \"i\" metric { accuracy {} } }\n"
      "layer { name: \"a\" relu {} } layer { name: \"b\" relu {} }\n"
      "layer { name: \"sum\" repeat { count: 2 input: \"a\" } input: \"b\" add {} }");
  CHECK(job.augment[0].config->find("child")->values.size() == 3);
  CHECK(job.metrics.size() == 2);
  CHECK(job.layers[2].inputs.size() == 3);
  CHECK(job.layers[2].inputs[2].layer == "b");
}

TEST_CASE("--set and --del work on what a repeat made") {
  const std::string line =
      "repeat { count: 3 as: \"i\" layer { name: \"c${i}\" convolution { filters: 4 } } }";
  const Job job = good(
      line, {{}, {{kSet, "layer[c2].convolution.filters=9"}, {JobChange::Kind::kDelete, "layer[c3]"}}, true});
  CHECK(names_of(job) == "c1 c2");
  CHECK(whole(job.layers[0].plugin, "filters") == 4);
  CHECK(whole(job.layers[1].plugin, "filters") == 9);
  CHECK(good("layer { relu {} }",
             {{}, {{kSet, "augment={one_of{repeat{count:2 as:i child{affine{rotate:$i}}}}}"}}, true})
            .augment[0]
            .config->find("child")
            ->values.size() == 2);
  says(errors_at(line, {{}, {{kSet, "repeat.count=5"}}, true}),
       {"--set:1:1: error: what a repeat makes is changed, not the repeat", "--var depth=5"});
}

TEST_CASE("errors point at the field in the repeat and name the iteration") {
  CHECK(errors_at("repeat { count: 3 as: \"i\" layer { name: \"c$i\" dense { units: ${2 - i} } } }") ==
        "t.txtpb:2:62: error: dense: units: got 0, wanted an integer >= 1 and <= 1000000 (i = 2)\n"
        "    repeat { count: 3 as: \"i\" layer { name: \"c$i\" dense { units: ${2 - i} } } }\n"
        "                                                                 ^~~~~~~~\n"
        "    (integer, required, >= 1 and <= 1000000: outputs)\n"
        "t.txtpb:2:62: error: dense: units: got -1, wanted an integer >= 1 and <= 1000000 (i = 3)\n"
        "    repeat { count: 3 as: \"i\" layer { name: \"c$i\" dense { units: ${2 - i} } } }\n"
        "                                                                 ^~~~~~~~\n"
        "    (integer, required, >= 1 and <= 1000000: outputs)");
  const std::string same = errors_at("repeat { count: 5 as: \"i\" layer { rleu {} } }");
  CHECK(count_errors(same) == 1);
  says(same, {"2:35: error: unknown layer or field of \"layer\": \"rleu\" (i = 1 and 4 more)", "\"relu\"?"});
  says(errors_at("repeat { count: 2 as: \"i\" repeat { count: 2 layer { name: \"c$i\" relu {} } } }"),
       {"two layers are called \"c1\" (i = 1, round 2)", "the first is at t.txtpb:2:45, i = 1, round 1"});
  says(errors_at("repeat { count: 2 as: \"i\" layer { dense { units: ${4 / (i - 2)} } } }"),
       {"2:54: error: division by zero (i = 2)", "units: got -4, wanted an integer >= 1"});
}

TEST_CASE("what a repeat itself has wrong") {
  struct Case {
    const char* line;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"repeat { layer { relu {} } }", {"2:1: error: repeat wants \"count\"", "(integer, required"}},
      {"repeat { cuont: 3 layer { relu {} } }",
       {"2:10: error: unknown field \"cuont\" of repeat", "did you mean \"count\"?"}},
      {"repeat { count: 3 stpe: 2 layer { relu {} } }",
       {"2:19: error: unknown field \"stpe\" (round 1 and 2 more)", "did you mean \"step\"? of repeat"}},
      {"repeat { count: 3 }", {"2:1: error: this repeat has nothing to repeat", "[vendor.repeat]"}},
      {"repeat { count: -1 layer { relu {} } }",
       {"2:17: error: repeat: count: got -1, wanted an integer >= 0 and <= 100000"}},
      {"repeat { count: 1000000000 layer { relu {} } }",
       {"got 1000000000, wanted an integer >= 0 and <= 100000"}},
      {"repeat { count: 2.5 layer { relu {} } }", {"repeat: count: got \"2.5\", wanted an integer"}},
      {"repeat { count: three layer { relu {} } }", {"repeat: count: got \"three\", wanted an integer"}},
      {"repeat { count: $n layer { relu {} } }", {"2:18: error: unknown variable \"n\""}},
      {"repeat { count: { } layer { relu {} } }", {"2:10: error: \"count\" wants a value, got { ... }"}},
      {"repeat { count: 1 count: 2 layer { relu {} } }",
       {"2:19: error: \"count\" is written twice in repeat", "first at t.txtpb:2:10"}},
      {"repeat { count: 1 as: i layer { relu {} } }",
       {"2:23: error: \"as\" of repeat wants a text in quotes, got i", "write as: \"i\""}},
      {"repeat { count: 1 as: \"3x\" layer { relu {} } }", {"repeat: as: got \"3x\", wanted a name"}},
      {"repeat { count: 1 as: \"i\" step: 1.5 layer { relu {} } }", {"repeat: step: got \"1.5\""}},
      {"var { name: \"i\" value: 1 } repeat { count: 1 as: \"i\" layer { relu {} } }",
       {"2:50: error: there is a variable \"i\" already"}},
      {"repeat { count: 2 as: \"i\" repeat { count: 1 as: \"i\" layer { relu {} } } }",
       {"2:49: error: there is a variable \"i\" already (i = 1 and 1 more)"}},
      {"repeat { count: 1 var { name: \"x\" value: 2 } layer { relu {} } }",
       {"2:19: error: a var is written outside of repeat"}},
      {"repeat { count: 1 as: \"i\" layer { relu {} } } seed: $i",
       {"2:54: error: variable \"i\" of a repeat is not known here"}},
      {"var { name: \"w\" value: ${2 * i} } repeat { count: 2 as: \"i\" layer { dense { units: $w } } }",
       {"2:30: error: variable \"i\" of a repeat is not known here"}},
      {"repeat: 3", {"2:1: error: unknown field \"repeat\"", "as in: repeat { count: 3"}},
      {"repaet { count: 3 layer { relu {} } }", {"unknown field \"repaet\"", "did you mean \"repeat\"?"}},
      {"vra { name: \"x\" }", {"did you mean \"var\"?"}},
      {"inclde: \"x\"", {"did you mean \"include\"?"}},
      {"layer { [acme.swish] { repeat { count: 2 beta: 1 } } }",
       {"\"beta\" is written twice in acme.swish (round 2)", "first at t.txtpb:2:42, round 1"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.line);
    says(errors_at(each.line), each.parts);
  }
}

TEST_CASE("what repeats and variables make is bounded") {
  std::string nested = "layer { relu {} }";
  for (int i = 0; i < 6; ++i) nested = "repeat { count: 100000 " + nested + " }";
  says(errors_at(nested), {"error: repeats make more than 1000000 fields"});
  says(errors_at("repeat { count: 100000 repeat { count: 100000 as: \"i\" layer { rleu {} } } }"),
       {"repeats make more than 1000000 fields"});
  const std::string wide(4096, 'x');
  says(errors_at("repeat { count: 100000 layer { name: \"" + wide + "\" relu {} } }"),
       {"variables and repeats make more than 64 MiB of text"});
  std::string doubling = "var { name: \"v0\" value: \"xx\" }";
  for (int i = 1; i < 60; ++i)
    doubling += " var { name: \"v" + std::to_string(i) + "\" value: \"$v" + std::to_string(i - 1) + "$v" +
                std::to_string(i - 1) + "\" }";
  says(errors_at(doubling + " name: $v59"), {"variables and repeats make more than 64 MiB of text"});
  CHECK(good("repeat { count: 100000 as: \"i\" layer { name: \"l$i\" relu {} } }").layers.size() == 100000);
}

TEST_CASE("a mistake in each of many iterations is counted, not collected") {
  const std::string text =
      errors_at("repeat { count: 100000 as: \"i\" layer { name: \"l$i\" dense { units: ${-i} } } }");
  CHECK(count_errors(text) == 20);
  says(text, {"got -1, wanted an integer >= 1 and <= 1000000 (i = 1)", "... and 99980 more errors"});
}
