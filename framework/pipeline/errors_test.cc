// Every mistake that a pipeline file can hold, with the words and the place that a person gets.
#include <doctest/doctest.h>

#include <algorithm>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

const std::string kBegin = "source { idx { images: \"a\" labels: \"b\" } }\n";  // line 1
const std::string kEnd = "\nloss { cross_entropy {} } optimizer { sgd {} }\n";
const std::string kLayer = "layer { name: \"c1\" relu {} }";

std::string errors_of(const std::string& text, const JobOptions& options = {}) {
  const auto job = parse_job(test_registry(), text, "t.txtpb", options);
  CHECK_FALSE(job.is_ok());
  if (!job) CHECK(job.status().code() == Code::kInvalid);
  return job.status().message();
}

// Errors of a job whose second line is `line`.
std::string errors_at(const std::string& line) { return errors_of(kBegin + line + kEnd); }

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

void says(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("an unknown field: place, source line, caret, hint") {
  CHECK(errors_at("layer { name: \"c1\" [acme.swish] { bta: 1.5 } }") ==
        "t.txtpb:2:35: error: unknown field \"bta\" of acme.swish\n"
        "    layer { name: \"c1\" [acme.swish] { bta: 1.5 } }\n"
        "                                      ^~~\n"
        "    did you mean \"beta\"? (number, default 1, >= 0 and <= 100: steepness of the gate)");
}

TEST_CASE("columns count characters, tabs are one") {
  says(errors_at("layer {\tname: \"größe\" nmae: 5 relu {} }"), {"t.txtpb:2:23: error: unknown"});
}

TEST_CASE("unknown names") {
  struct Case {
    const char* line;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"nmae: \"x\"", {"2:1: error: unknown field \"nmae\"", "did you mean \"name\"?"}},
      {"layer { convolutoin { } }",
       {"2:9: error: unknown layer or field of \"layer\": \"convolutoin\"",
        "did you mean \"convolution\"? (slides"}},
      {"layer { cross_entropy { } }",
       {"2:9: error: \"cross_entropy\" is a loss, not a layer", "possible here:"}},
      {"optimizer { relu { } }",
       {"2:13: error: \"relu\" is a layer, not an optimizer", "possible here: adam, sgd"}},
      {"layer { [acme.swich] { } }", {"2:9: error: unknown layer", "did you mean \"[acme.swish]\"?"}},
      {"layer { [nobody.knows] { } }", {"2:9: error: unknown layer", "possible here:"}},
      {"relu { }",
       {"2:1: error: unknown field \"relu\"", "\"relu\" is a layer and is written inside a block"}},
      {"augment { one_of { child { relu { } } } }", {"2:28: error: \"relu\" is a layer, not an augmenter"}},
      {"layer { convolution { filters: 1 deep { spred: 1 } } }",
       {"2:41: error: unknown field \"spred\" of deep", "\"spread\""}},
  };
  for (const Case& each : cases) says(errors_at(each.line), each.parts);
}

TEST_CASE("wrong values") {
  struct Case {
    const char* line;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"layer { convolution { filters: 0 } }",
       {"2:32: error: convolution: filters: got 0, wanted an integer >= 1", "(integer, required"}},
      {"layer { convolution { filters: \"six\" } }",
       {"2:32: error: convolution: filters: got \"six\", wanted an integer"}},
      {"layer { convolution { filters: \"6\" } }",
       {"2:32: error: convolution: filters: 6 is written as a text"}},
      {"layer { convolution { filters: 2.5 } }",
       {"2:32: error: convolution: filters: got \"2.5\", wanted an integer"}},
      {"layer { convolution { filters: 99999999999999999999 } }", {"2:32: error: convolution: filters: got"}},
      {"layer { convolution { filters: 1 padding: smae } }",
       {"2:43: error: convolution: padding: got \"smae\"", "did you mean same?"}},
      {"layer { convolution { } }", {"2:9: error: convolution wants \"filters\"", "number of filters"}},
      {"layer { convolution { filters: 1 filters: 2 } }",
       {"2:34: error: \"filters\" is written twice in convolution", "first at t.txtpb:2:23"}},
      {"layer { convolution { filters: [1, 2] } }", {"\"filters\" takes one value, not a list"}},
      {"layer { convolution { filters { } } }", {"2:23: error: \"filters\" wants a value, got { ... }"}},
      {"layer { convolution: 5 }", {"2:22: error: \"convolution\" wants { ... }, got 5"}},
      {"layer { [acme.swish] { beta: nan } }", {"acme.swish: beta: got"}},
      {"layer { name: c1 relu {} }",
       {"2:15: error: \"name\" of layer wants a text in quotes, got c1", "write name: \"c1\""}},
      {"layer { relu {} dense { units: 3 } }", {"2:17: error: \"dense\" is a second layer besides \"relu\""}},
      {"layer { name: \"x\" }", {"2:1: error: \"layer\" wants a plugin of kind layer"}},
      {"layer { frozen: maybe relu {} }",
       {"2:17: error: layer: frozen: got \"maybe\", wanted true or false"}},
      {"layer { relu {} } source { }", {"\"source\" is written twice"}},
      {"layer { relu {} } augment { one_of { } }", {"one_of wants \"child\""}},
      {"layer { relu {} } augment { one_of { child { } } }", {"\"child\" wants a plugin of kind augmenter"}},
      {"layer { relu {} } augment { one_of { child { affine { rotate: 181 } } } }",
       {"affine: rotate: got 181"}},
      {"layer { relu {} } test { idx { images: \"a\" labels: \"a\" } }",
       {"2:26: error: idx: images and labels are one file"}},
      {"layer { relu {} } validation { fraction: 1 }",
       {"validation: fraction: got 1, wanted a number > 0 and < 1"}},
      {"layer { relu {} } validation { fraction: 0.5 idx { images: \"a\" labels: \"b\" } }", {"not both"}},
      {"layer { relu {} } schedule { field: \"momentum\" cosine {} }",
       {"no schedule can change \"momentum\" of sgd", "rate"}},
      {"layer { relu {} } schedule { cosine {} } schedule { cosine {} }", {"\"rate\" has two schedules"}},
  };
  for (const Case& each : cases) says(errors_at(each.line), each.parts);
}

TEST_CASE("names that nobody can read or hand on") {
  says(errors_at("layer { name: \"  \" relu {} }"), {"2:15: error: a layer's name, \"  \", is blank"});
  says(errors_at(kLayer + " metric { name: \" \" accuracy {} }"),
       {"error: a metric's name in reports, \" \", is blank"});
  says(errors_at(kLayer + " metric { name: \"\" accuracy {} }"),
       {"a metric's name in reports, \"\", is empty"});
  says(errors_at(kLayer + " metric { name: \"-m\" accuracy {} }"), {"\"-m\", begins with a dash"});
  says(errors_at(kLayer + " loss { name: \" \" cross_entropy {} }"),
       {"a loss's name in reports, \" \", is blank"});
  says(errors_at(kLayer + " metric { name: \"" + std::string(201, 'm') + "\" accuracy {} }"),
       {"is longer than 200 bytes"});
}

TEST_CASE("rounds: zero and negative numbers") {
  const std::string found = errors_at(
      kLayer + "\ntrain { shards: 0 local_steps: -3 batch: 0 lanes: 0 epochs: -1 keep_checkpoints: 0 }");
  says(found, {"3:17: error: train: shards: got 0, wanted an integer >= 1",
               "3:32: error: train: local_steps: got -3", "train: batch: got 0", "train: lanes: got 0",
               "train: epochs: got -1", "train: keep_checkpoints: got 0"});
  says(errors_at(kLayer + "train { sync: gradients local_steps: 4 }"), {"local_steps is 1, got 4"});
}

TEST_CASE("the network: names, inputs, cycles, sharing") {
  struct Case {
    const char* line;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"layer { name: \"a\" relu {} } layer { name: \"a\" relu {} }",
       {"2:43: error: two layers are called \"a\"", "the first is at t.txtpb:2:1"}},
      {"layer { name: \"a\" input: \"b\" relu {} } layer { name: \"b\" input: \"c\" relu {} } layer { name: "
       "\"c\" input: \"a\" relu {} }",
       {"the layers form a cycle: a -> c -> b -> a"}},
      {"layer { name: \"a\" input: \"a\" relu {} }", {"2:26: error: the layers form a cycle: a -> a"}},
      {"layer { name: \"a\" relu {} } layer { name: \"s\" add {} }",
       {"2:29: error: layer \"s\" (add) takes at least 2 inputs, got none"}},
      {"layer { name: \"a\" input: [\"x\", \"y\"] relu {} }", {"layer \"a\" (relu) takes 1 input, got 2"}},
      {"layer { name: \"a\" input: \"x:y\" relu {} }", {"2:26: error: an input is the name", "got \"x:y\""}},
      {"layer { name: \"a:1\" relu {} }", {"a layer's name has no \":\""}},
      {"layer { name: \"\" relu {} }", {"a layer's name is empty"}},
      {"layer { name: \"first\" relu {} } layer { shares: \"frist\" relu {} }",
       {"no layer is called \"frist\"", "did you mean \"first\"?"}},
      {"layer { name: \"a\" relu {} } layer { shares: \"a\" dense { units: 1 } }",
       {"parameters are shared within a type"}},
      {"layer { name: \"a\" shares: \"a\" relu {} }", {"no parameters of its own to share"}},
  };
  for (const Case& each : cases) says(errors_at(each.line), each.parts);
}

TEST_CASE("what a job cannot do without") {
  says(errors_of(kBegin + kEnd), {"t.txtpb: error: the job has no layer"});
  says(errors_of(kLayer + kEnd), {"the job has no source"});
  says(errors_of(kBegin + kLayer + "optimizer { sgd {} }"), {"the job has no loss"});
  says(errors_of(kBegin + kLayer + "loss { cross_entropy {} }"), {"the job has no optimizer"});
  JobOptions options;
  options.for_training = false;
  CHECK(parse_job(test_registry(), kLayer, "t", options).is_ok());
}

TEST_CASE("variables and arithmetic") {
  struct Case {
    const char* line;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"var { name: \"width\" value: 4 } seed: $widht",
       {"2:39: error: unknown variable \"widht\"", "did you mean \"width\"?"}},
      {"name: \"x/$widht\"", {"2:11: error: unknown variable \"widht\"", "the job has no var"}},
      {"seed: ${1 / 0}", {"2:11: error: division by zero"}},
      {"seed: ${1 + }", {"expected a number, a variable or \"(\""}},
      {"seed: ${(1 + 2}", {"\")\" is missing"}},
      {"seed: ${1 2}", {"2:11: error: unexpected \"2\""}},
      {"var { name: \"w\" value: \"abc\" } seed: ${w * 2}", {"\"abc\" is not a number"}},
      {"var { name: \"w\" value: \"abc\" } seed: $w", {"the job: seed: got \"abc\", wanted an integer"}},
      {"seed: ${7 / 2}", {"the job: seed: got \"3.5\", wanted an integer"}},
      {"var { name: \"u\" value: $w } var { name: \"w\" value: $u } seed: $u", {"needs itself"}},
      {"var { name: \"u\" value: 1 } var { name: \"u\" value: 2 }", {"variable \"u\" is defined twice"}},
      {"var { name: \"u\" }", {"a var wants a name"}},
      {"var { name: \"u\" valeu: 3 value: 1 }", {"a var has name, value and doc, not \"valeu\""}},
      {"seed: $", {"neither a name nor {expression}"}},
      {"seed: ${3", {"neither a name nor {expression}"}},
      {"name: \"costs $ 5\"", {"a dollar sign is written $$"}},
  };
  for (const Case& each : cases) says(errors_at(each.line), each.parts);
  JobOptions options;
  options.vars = {{"widht", "3"}};
  says(errors_of(kBegin + "var { name: \"width\" value: 4 }" + kLayer + kEnd, options),
       {"--var:1:1: error: the job has no variable \"widht\"", "did you mean \"width\"?"});
}

TEST_CASE("--set and --del") {
  struct Case {
    const char* set;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"train.shrds=4",
       {"--set:1:7: error: unknown field \"shrds\" of train", "    train.shrds=4\n          ^~~~~",
        "\"shards\""}},
      {"train.shards=0", {"--set:1:14: error: train: shards: got 0"}},
      {"train.shards=four", {"--set:1:14: error: train: shards: got \"four\""}},
      {"layer[c2].relu={}", {"--set:1:7: error: no layer is called \"c2\"", "did you mean \"c1\"?"}},
      {"layer[c1].convolution.filters=3", {"the job writes \"relu\" here, not \"convolution\""}},
      {"train.shards", {"\"=\" and a value are missing"}},
      {"train.shards.x=3", {"\"shards\" is a value and has no fields"}},
      {"seed+=3", {"\"seed\" takes one value"}},
      {"train=", {"--set:1:7: error: a value for \"train\" is missing"}},
      {"=3", {"expected the name of a field"}},
      {"layer[c1=3", {"\"]\" is missing"}},
      {"optimizer=adam{rate:}", {"--set:1:21: error: expected a value"}},
      {"optimizer=adam{rate:1", {"never closed"}},
      {"seed=3 name:4", {"one value for \"seed\" is wanted"}},
  };
  for (const Case& each : cases) {
    JobOptions options;
    options.set(each.set);
    says(errors_of(kBegin + kLayer + kEnd, options), each.parts);
  }
  JobOptions options;
  for (const char* path : {"layer[c9]", "metric"}) options.del(path);
  says(errors_of(kBegin + kLayer + kEnd, options),
       {"--del:1:7: error: no layer is called \"c9\"", "the job does not write \"metric\""});
}

TEST_CASE("broken text") {
  says(errors_of(""), {"t.txtpb: error: the file says nothing"});
  says(errors_of("# only a comment\n"), {"the file says nothing"});
  says(errors_of(std::string("seed: 1\n\0 2", 11)),
       {"t.txtpb:2:1: error: byte 0x00 does not belong in a pipeline file"});
  says(errors_of("\x1f\x8b\x08\x00"), {"t.txtpb:1:1: error: byte 0x1f", "compressed with gzip"});
  says(errors_of("name: \"abc\nseed: 3"), {"1:7: error: this string has no closing quote"});
  says(errors_of("train { shards: 3\n"), {"1:7: error: this { is never closed"});
  says(errors_of("seed 5"), {"1:6: error: expected \":\" or \"{\" after \"seed\", got \"5\""});
  says(errors_of("seed: 5 }"), {"1:9: error: expected a field, got \"}\"", "closes nothing"});
  says(errors_of("train < shards: 3 >"), {"messages are written in { }"});
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "a {";
  says(errors_of(deep), {"messages nest deeper than 64 levels"});
  std::string nested = "seed: ${";
  says(errors_of(nested + std::string(100000, '(') + "}"), {"the expression nests too deep"});
}

TEST_CASE("several errors in one go, in order, twenty at most") {
  const std::string two = errors_of("nmae: 3\ntrain { shards 4 }\nlayer { relu { x: 1 } }\n");
  says(two, {"1:1: error", "2:16: error", "3:16: error"});
  CHECK(two.find("1:1: error") < two.find("2:16: error"));
  std::string many;
  for (int i = 0; i < 30; ++i) many += "bad: 1\n";
  const std::string capped = errors_of(many);
  CHECK(count(capped, ": error: ") == 20);
  says(capped, {"... and 10 more errors"});
}

TEST_CASE("a variable without a value is one mistake") {
  for (const char* line :
       {"layer { convolution { filters: $widht } }", "layer { convolution { filters: ${widht + 1} } }",
        "layer { input: \"$widht\" relu {} }", "layer { relu {} } seed: $widht",
        "layer { relu {} } include: \"$widht\"", "layer { $widht {} }",
        "var { name: \"w\" value: $widht } layer { dense { units: $w } } seed: ${w + 1}"}) {
    CAPTURE(line);
    const std::string found = errors_at(line);
    CAPTURE(found);
    CHECK(count(found, ": error: ") == 1);
    says(found, {"unknown variable \"widht\""});
  }
}

TEST_CASE("endless words and lines are cut, the caret stays in view") {
  const std::string endless(1 << 20, 'x');
  for (const std::string& line :
       {"layer { " + endless + " {} }", "layer { relu { " + endless + ": 1 } }",
        "layer { convolution { filters: " + endless + " } }", "layer { name: \"" + endless + "\" rleu {} }",
        "seed: $" + endless, "seed: ${" + endless + "}", endless + ": 1",
        "layer { input: \"" + endless + ":x\" relu {} }", std::string(1 << 20, ' ') + "rleu {}",
        "layer { shares: \"" + endless + "\" relu {} }", "seed " + endless}) {
    const std::string found = errors_at(line);
    CAPTURE(line.substr(0, 40));
    CAPTURE(found.substr(0, 2000));
    CHECK(found.size() < 2000);
    const size_t caret = found.rfind('^');
    REQUIRE(caret != std::string::npos);
    CHECK(caret - found.rfind('\n', caret) < 120);
  }
}

TEST_CASE("an array to begin with names its stage, on one line") {
  says(errors_at("layer { name: \"c1\" relu {} init { from: \"\" } }"),
       {"t.txtpb:2:41: error: init: \"from\" names no stage"});
  says(errors_at("layer { name: \"c1\" relu {} init { } }"),
       {"t.txtpb:2:28: error: init says 0 things that a parameter begins with, wanted one"});
  says(errors_at("layer { name: \"c1\" relu {} init { from: \"s\" array: \"a\\nb\" } }"),
       {"\"array\" of init is printable text in UTF-8, of one line"});
}

TEST_CASE("a block that was wrong is not missing too") {
  const std::string found = errors_of(kBegin + "layer { convolution { filtres: 3 } }" + kEnd);
  CHECK(count(found, ": error: ") == 1);
  CHECK(count(errors_of(kBegin + "layer { cnvolution { filters: 3 } }" + kEnd), ": error: ") == 1);
}
