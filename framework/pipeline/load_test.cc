#include "pipeline/load.h"

#include <doctest/doctest.h>

#include "pipeline/resolved.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

Job good(const std::string& text, const JobOptions& options = {}) {
  auto job = parse_job(test_registry(), text, "dir/tiny.txtpb", options);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  return *job;
}

double number(const PluginSpec& plugin, const char* field) {
  return std::get<double>(plugin.config->find(field)->values.at(0));
}
int64_t whole(const PluginSpec& plugin, const char* field) {
  return std::get<int64_t>(plugin.config->find(field)->values.at(0));
}
std::string text(const PluginSpec& plugin, const char* field) {
  return std::get<std::string>(plugin.config->find(field)->values.at(0));
}

}  // namespace

TEST_CASE("a job is read with variables, arithmetic, third-party types and defaults") {
  const Job job = good(test_job());
  CHECK(job.name == "tiny");
  CHECK(job.seed == 7);
  CHECK(text(job.source, "images") == "/data/images.gz");
  CHECK(job.validation_fraction == 0.1);
  REQUIRE(job.layers.size() == 5);
  CHECK(whole(job.layers[0].plugin, "filters") == 6);
  CHECK(job.layers[0].plugin.config->find("kernel")->values.size() == 1);
  CHECK(text(job.layers[0].plugin, "padding") == "same");
  CHECK(job.layers[1].plugin.id() == "acme.swish");
  CHECK(number(job.layers[1].plugin, "beta") == 1.5);
  CHECK(whole(job.layers[4].plugin, "units") == 13);
  CHECK(job.train.shards == 4);
  CHECK(job.train.epochs == 2.5);
  CHECK(job.train.inner_state == InnerState::kReset);
  CHECK(job.train.lanes == 1);
  CHECK(job.evaluate.batch == 256);
  CHECK(job.device.id() == "plait.cpu");
  CHECK(job.reducer.id() == "plait.mean");
  CHECK(job.losses[0].name == "cross_entropy");
  CHECK(job.losses[0].inputs[0].layer == "f1");
  CHECK(job.schedules[0].field == "rate");
}

TEST_CASE("inputs: written ones, the layer before, and an open part for the first") {
  const Job job = good(test_job());
  CHECK(job.layers[0].inputs[0].layer == "image");
  CHECK(job.layers[1].inputs[0].layer == "c1");
  CHECK(job.layers[2].inputs.size() == 2);
  CHECK(job.layers[3].name == "relu_4");
  CHECK(job.layers[4].inputs[0].layer == "relu_4");
  CHECK(good("source { idx { images: \"a\" labels: \"b\" } } layer { relu {} } loss { mean_squared {} } "
             "optimizer { sgd {} }")
            .layers[0]
            .inputs[0]
            .layer == "");
}

TEST_CASE("connect_parts names open parts and refuses dangling inputs") {
  Job job = good(test_job());
  job.layers[0].inputs[0].layer = "";
  REQUIRE(connect_parts(job, {"label", "image"}).is_ok());
  CHECK(job.layers[0].inputs[0].layer == "image");
  CHECK(job.losses[0].targets[0].layer == "label");
  job.layers[1].inputs[0].layer = "imag";
  const Status dangling = connect_parts(job, {"label", "image"});
  CHECK(dangling.message().find("layer \"r1\" reads \"imag\"") != std::string::npos);
  CHECK(dangling.message().find("did you mean \"image\"?") != std::string::npos);
  job.layers[1].inputs[0].layer = "c1";
  CHECK(connect_parts(job, {"label", "image", "c1"})
            .message()
            .find("layer \"r1\" reads \"c1\", which is a layer and a part of the samples") !=
        std::string::npos);
}

TEST_CASE("the resolved text is a fixed point, and replays without variables") {
  const Job job = good(test_job());
  const Job again = good(job.resolved);
  CHECK(again.resolved == job.resolved);
  CHECK(job.resolved.find("filters: 6") != std::string::npos);
  CHECK(job.resolved.find("costs $$5") != std::string::npos);
  CHECK(job.resolved.find("reducer { mean { } }") != std::string::npos);
  CHECK(text(again.source, "labels") == "/data/labels.gz");
}

TEST_CASE("a layer's text holds what was written and reads back") {
  const Job job = good(test_job());
  CHECK(layer_text(job.layers[1], Detail::kWritten) ==
        "layer { name: \"r1\" input: \"c1\" [acme.swish] { beta: 1.5 } }");
  std::string renamed = layer_text(job.layers[1], Detail::kWritten);
  renamed.replace(renamed.find("r1"), 2, "r2");
  CHECK(layer_text(good(test_job() + renamed).layers.back(), Detail::kWritten) == renamed);
}

TEST_CASE("--var overrides, --set replaces, appends and makes blocks") {
  JobOptions options;
  options.var("width", "10");
  options.var("data", "/other");
  for (const char* text : {"train.shards=2", "layer[c1].convolution.kernel=[7, 3]",
                           "layer[r1].[acme.swish].beta=2", "optimizer=adam{rate:0.5}", "metric+=accuracy{}",
                           "evaluate.batch=64", "source.idx.labels=/x/$data y", "layer[sum].input=[c1, c1]"})
    options.set(text);
  for (const char* path : {"schedule", "augment[0]"}) options.del(path);
  const Job job = good(test_job(), options);
  CHECK(whole(job.layers[0].plugin, "filters") == 10);
  CHECK(job.layers[0].plugin.config->find("kernel")->values.size() == 2);
  CHECK(number(job.layers[1].plugin, "beta") == 2);
  CHECK(job.train.shards == 2);
  CHECK(job.optimizer.id() == "plait.adam");
  CHECK(number(job.optimizer, "rate") == 0.5);
  CHECK(job.metrics.size() == 2);
  CHECK(job.evaluate.batch == 64);
  CHECK(text(job.source, "labels") == "/x//other y");
  CHECK(job.layers[2].inputs[0].layer == "c1");
  CHECK(job.schedules.empty());
  CHECK(job.augment.size() == 1);
}

TEST_CASE("an id without its brackets is told how it is written") {
  JobOptions options;
  options.set("layer[r1].acme.swish.beta=2");
  const std::string said = parse_job(test_registry(), test_job(), "t", options).status().message();
  CAPTURE(said);
  CHECK(said.find("the whole id of a type is in brackets: [acme.NAME]") != std::string::npos);
}

TEST_CASE("a whole plugin can be set with and without braces") {
  for (const char* set :
       {"optimizer={adam{rate:0.5}}", "optimizer={adam{rate:0.5}}", "optimizer: no", "optimizer=adam"}) {
    JobOptions options;
    options.set(set);
    options.del("schedule");
    const auto job = parse_job(test_registry(), test_job(), "t", options);
    CHECK(job.is_ok() == (std::string(set) != "optimizer: no"));
    if (job) CHECK(job->optimizer.id() == "plait.adam");
  }
}

TEST_CASE("sync: gradients means a reduction each step") {
  JobOptions block, field;
  block.set("train={sync:gradients shards:2}");
  field.set("train.sync=gradients");
  CHECK(good(test_job(), block).train.local_steps == 1);
  CHECK_FALSE(parse_job(test_registry(), test_job(), "t", field).is_ok());
}

TEST_CASE("changes act in the order written") {
  const auto metrics = [](const std::vector<JobChange>& changes) {
    JobOptions options;
    options.changes = changes;
    return good(test_job(), options).metrics.size();
  };
  using Kind = JobChange::Kind;
  const size_t written = metrics({});
  const JobChange add{Kind::kSet, "metric+=accuracy{}"}, remove{Kind::kDelete, "metric"};
  REQUIRE(written > 0);
  CHECK(metrics({add, remove}) == 0);
  CHECK(metrics({remove, add}) == 1);
  CHECK(metrics({add, remove, add, add}) == 2);

  JobOptions options;
  options.set("train.batch=$width");
  options.var("width", "10");
  options.set("train.shards=$width");
  options.var("width", "12");
  options.set("evaluate.batch=${2 * width}");
  const Job job = good(test_job(), options);
  CHECK(whole(job.layers[0].plugin, "filters") == 12);  // the file is read with the last
  CHECK(job.train.batch == whole(good(test_job()).layers[0].plugin, "filters"));
  CHECK(job.train.shards == 10);
  CHECK(job.evaluate.batch == 24);
}

TEST_CASE("blocks are found by name and number through all that sets and deletes make of them") {
  const auto names = [](const std::vector<JobChange>& changes) {
    const std::string text =
        "source { idx { images: \"a\" labels: \"b\" } } optimizer { sgd {} }\n"
        "layer { name: \"a\" input: \"image\" dense { units: 10 } }\n"
        "layer { name: \"b\" input: \"image\" dense { units: 10 } }\n"
        "layer { name: \"c\" input: \"image\" dense { units: 10 } } loss { cross_entropy {} }\n";
    JobOptions options;
    options.changes = changes;
    const auto job = parse_job(test_registry(), text, "t", options);
    if (!job) return job.status().message();
    std::string all;
    for (const LayerSpec& layer : job->layers) all += layer.name + (layer.frozen ? "! " : " ");
    return all;
  };
  using Kind = JobChange::Kind;
  const auto set = [](const std::string& text) { return JobChange{Kind::kSet, text}; };
  const auto del = [](const std::string& text) { return JobChange{Kind::kDelete, text}; };
  const auto added = [](const std::string& name) {
    return JobChange{Kind::kSet, "layer+={ name: \"" + name + "\" input: \"image\" dense { units: 10 } }"};
  };
  CHECK(names({set("layer[b].frozen=true"), del("layer[a]"), set("layer[1].frozen=true")}) == "b! c! ");
  CHECK(names({del("layer[a]"), del("layer[b]"), set("layer[0].frozen=true")}) == "c! ");
  CHECK(names({del("layer[a]"), del("layer[0]")}) == "c ");
  CHECK(names({del("layer[a]"), added("a"), set("layer[a].frozen=true")}) == "b c a! ");
  CHECK(names({set("layer[a].name=d"), set("layer[d].frozen=true"), del("layer[b]")}) == "d! c ");
  CHECK(names({added("1"), set("layer[3].frozen=true"), del("layer[0]"), set("layer[2].frozen=true")}) ==
        "b c 1! ");
  CHECK(names({set("layer[b]={ name: \"e\" input: \"image\" dense { units: 1 } }"),
               set("layer[e].frozen=true"), del("layer[c]")}) == "a e! ");
  for (const auto& gone : {del("layer[b]"), set("layer[b].name=e")}) {
    const std::string said = names({gone, set("layer[b].frozen=true")});
    CAPTURE(said);
    CHECK(said.find("no layer is called \"b\"") != std::string::npos);
  }
  const std::string twice = names({added("b"), set("layer[b].frozen=true")});
  CHECK(twice.find("2 blocks \"layer\": say which") != std::string::npos);
  CHECK(names({del("layer"), added("z")}) == "z ");
}

TEST_CASE("plugins are no change of a job: they are loaded before") {
  for (const char* change : {"plugin=/x.so", "plugin+=/x.so", "plugin_path=/x"})
    for (const bool in_file : {false, true}) {
      JobOptions options;
      if (!in_file) options.set(change);
      const std::string text = in_file ? "set: '" + std::string(change) + "'\n" : "";
      const std::string said = parse_job(test_registry(), text + test_job(), "t", options).status().message();
      CAPTURE(said);
      CHECK(said.find("is read before any change of the job") != std::string::npos);
      CHECK(said.find("say --plugin F") != std::string::npos);
    }
  JobOptions options;
  options.del("plugin");
  CHECK(parse_job(test_registry(), "plugin: \"/x.so\"\n" + test_job(), "t", options)
            .status()
            .message()
            .find("--del:1:1: error: \"plugin\" is read before any change") != std::string::npos);
}

TEST_CASE("a loss names several predictions and targets, and weights of samples") {
  const std::string layers =
      "source { idx { images: \"a\" labels: \"b\" } } layer { name: \"a\" relu {} } layer { name: \"b\" relu "
      "{} } "
      "optimizer { sgd {} } ";
  const Job job = good(layers + "loss { input: \"a\" input: \"b:1\" weights: \"share\" pairs {} }");
  const LossSpec& loss = job.losses[0];
  REQUIRE(loss.inputs.size() == 2);
  CHECK((loss.inputs[0].layer == "a" && loss.inputs[1].layer == "b" && loss.inputs[1].output == 1));
  CHECK(loss.targets.empty());
  CHECK(loss.weights->layer == "share");
  CHECK(good(job.resolved).resolved == job.resolved);
  Job connected = job;
  CHECK(connect_parts(connected, {"image", "share"}).is_ok());
  CHECK(connect_parts(connected, {"image", "shares"})
            .message()
            .find("loss \"pairs\" has its weights in \"share\", which is no part of the samples") !=
        std::string::npos);

  const auto refused = [&](const std::string& text) {
    const auto made = parse_job(test_registry(), layers + text, "file.txtpb");
    return made.status().message();
  };
  CHECK(refused("loss { pairs {} }").find("loss \"pairs\" wants 2 predictions (left, right), got 1") !=
        std::string::npos);
  CHECK(refused("loss { input: \"a\" input: \"b\" target: \"c\" target: \"d\" pairs {} }")
            .find("loss \"pairs\" wants 0 to 1 target, got 2") != std::string::npos);
  CHECK(refused("loss { weights: \"share\" cross_entropy {} }")
            .find("loss \"cross_entropy\" does not take a weight for each sample") != std::string::npos);
  CHECK(refused("loss { target: \"c\" target: \"d\" cross_entropy {} }")
            .find("loss \"cross_entropy\" wants 1 target, got 2") != std::string::npos);
}

TEST_CASE("a stage takes from the base job what it does not say") {
  const Job base = good(test_job());
  const auto stage = parse_stage(test_registry(), base, "stage 1",
                                 "layer { name: \"c1\" convolution { filters: 6 } }\n"
                                 "loss { target: \"image\" mean_squared {} } train { epochs: 1 }");
  INFO(stage.status().message());
  REQUIRE(stage.is_ok());
  CHECK(stage->name == "stage 1");
  CHECK(stage->layers.size() == 1);
  CHECK(stage->train.epochs == 1);
  CHECK(stage->train.shards == 4);
  CHECK(stage->seed == 7);
  CHECK(text(stage->source, "images") == "/data/images.gz");
  CHECK(stage->losses[0].targets[0].layer == "image");
  CHECK(stage->schedules.empty());
  CHECK(stage->pretrain.empty());
  CHECK(good(stage->resolved).resolved == stage->resolved);
}

TEST_CASE("a type called like a word of the file is written in brackets, and replays") {
  for (const char* name : {"repeat", "input"}) {
    const Job job = good(test_job() + "layer { name: \"last\" [acme." + name + "] { count: 3 } }");
    CHECK(job.layers.back().plugin.id() == std::string("acme.") + name);
    CHECK(good(job.resolved).resolved == job.resolved);
    const std::string written = layer_text(job.layers.back(), Detail::kWritten);
    CHECK(written.find(std::string("[acme.") + name + "]") != std::string::npos);
  }
}

TEST_CASE("a place far down a long file or line is right, and quickly found") {
  std::string text =
      "source { idx { images: \"a\" labels: \"b\" } } loss { cross_entropy {} } optimizer { sgd {} }\n";
  for (int i = 0; i < 30000; ++i)
    text += "layer { name: \"größe" + std::to_string(i) + "\" relu {} }" + (i % 3 ? "\n" : " ");
  const Job job = good(text);
  CHECK(job.layers[0].where.line == 2);
  CHECK(job.layers[1].where.column == 34);
  CHECK(job.layers.back().where.line == 20001);
  for (char& c : text) c = c == '\n' ? ' ' : c;
  CHECK(good(text).layers[1].where.column == 34 + 90);
}
