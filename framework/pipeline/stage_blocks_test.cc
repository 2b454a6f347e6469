#include "pipeline/stage_blocks.h"

#include <doctest/doctest.h>

#include "pipeline/load.h"
#include "pipeline/resolved.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

Job good(const std::string& text, const std::string& name = "tiny.txtpb") {
  auto job = parse_job(test_registry(), text, name);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  return std::move(job).value();
}

// The test job without its last block.
std::string without_pretrain() {
  const std::string text = test_job();
  return text.substr(0, text.rfind("pretrain"));
}

// What is said of the test job with `more` after it.
std::string bad(const std::string& more) {
  const auto job = parse_job(test_registry(), test_job() + more, "tiny.txtpb");
  return job ? "" : job.status().message();
}

const std::string kSource = "source { idx { images: \"/a\" labels: \"/b\" } }";

}  // namespace

TEST_CASE("the long form is read as the same job, and written again as it is") {
  const Job job = good(test_job() + "test { idx { images: \"/t\" labels: \"/u\" } }\n");
  const std::string text = resolved_text(job, Form::kLong);
  CHECK(text.find("\nsource {") == std::string::npos);
  CHECK(text.find("\ntrain {") == std::string::npos);
  CHECK(text.find("\ntest {") == std::string::npos);
  CHECK(text.find("stage { name: \"pretrain\" pretrain { greedy") != std::string::npos);
  const Job again = good(text);
  CHECK(again.resolved == job.resolved);
  CHECK(resolved_text(again, Form::kLong) == text);
  CHECK(again.validation_fraction == 0.1);
  CHECK(again.pretrain.size() == 1);
  CHECK(again.stages.empty());
}

TEST_CASE("records of a pretrainer and of what follows training are kept in the resolved text") {
  const Job job = good(without_pretrain() + "stage { name: \"p\" " + kSource +
                       " augment { affine { } } pretrain { greedy { } } }\n"
                       "stage { name: \"e\" " +
                       kSource +
                       " evaluate { } }\n"
                       "stage { name: \"f\" " +
                       kSource + " features { layer: \"c1\" } output: \"f.npy\" }\n");
  REQUIRE(job.pretrain.size() == 1);
  CHECK(job.pretrain[0].name == "p");
  CHECK(job.pretrain[0].has_own_records());
  REQUIRE(job.stages.size() == 2);
  CHECK(job.stages[0].does() == "evaluate");
  CHECK(job.stages[0].output == "e.csv");
  CHECK(job.stages[0].network->on.empty());
  CHECK(job.stages[1].network->layers == std::vector<std::string>{"c1"});
  CHECK(job.stages[1].is_after_training);
  CHECK(good(job.resolved).resolved == job.resolved);
}

TEST_CASE("what makes no sense is refused") {
  CHECK(bad("stage { evaluate { } predict { } }").find("does two things: evaluate and predict") !=
        std::string::npos);
  CHECK(bad("stage { name: \"x\" }").find("or what else it does") != std::string::npos);
  CHECK(
      bad("stage { " + kSource + " train { } }").find("\"source\" is written here and in stage \"train\"") !=
      std::string::npos);
  CHECK(bad("stage { " + kSource + " predict { } split: 3 }").find("\"split\" has no use") !=
        std::string::npos);
  CHECK(bad("stage { " + kSource + " predict { on: test } }").find("source of its own") != std::string::npos);
  CHECK(bad("stage { features { layer: \"c9\" } }").find("no layer \"c9\"") != std::string::npos);
  CHECK(bad("stage { name: \"test\" evaluate { } }").find("has no source of records") != std::string::npos);
  CHECK(bad("stage { pretrain { greedy { } } }").find("which comes first is not said") != std::string::npos);
  CHECK(bad("stage { " + kSource + " train { } } stage { name: \"u\" train { } }")
            .find("a second stage trains") != std::string::npos);
}
