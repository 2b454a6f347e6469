#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include "layer_text.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;
using namespace plait::autoencoder;

namespace {

struct LayerOf {
  std::string name, type, text;
  uint32_t parameters;
  PartSpec input, output;
  std::vector<std::string> inputs;
};

// A network as the host describes it, and what the plugin makes of it.
struct Test {
  TestHost host;
  Entry entry = linked("plait.autoencoder");
  Made<plait_pretrainer_ops> made;
  std::vector<LayerOf> layers;
  std::string title, stage;

  Test(const Settings& settings, std::vector<LayerOf> network)
      : made(host, entry, settings), layers(std::move(network)) {}

  bool next(uint32_t number) {
    std::deque<plait_tensor_spec> specs;
    std::deque<plait_network_layer> raw;
    std::deque<std::vector<const char*>> inputs;
    std::vector<const plait_network_layer*> pointers;
    for (const LayerOf& l : layers) {
      const plait_tensor_spec* in = &specs.emplace_back(l.input.c());
      const plait_tensor_spec* out = &specs.emplace_back(l.output.c());
      auto& names = inputs.emplace_back();
      for (const std::string& name : l.inputs) names.push_back(name.c_str());
      raw.push_back({sizeof(plait_network_layer), l.parameters, l.name.c_str(), l.type.c_str(),
                     l.text.c_str(), in, out, static_cast<uint32_t>(names.size()), 0, names.data()});
      pointers.push_back(&raw.back());
    }
    plait_pretrain_request request{
        sizeof request, static_cast<uint32_t>(pointers.size()), pointers.data(), number, 0, 100};
    const plait_stage_builder builder{sizeof builder, 0, this,
                                      [](const plait_stage_builder* b, plait_str t, plait_str s) {
                                        auto* test = static_cast<Test*>(b->host_data);
                                        test->title.assign(t.data, t.size);
                                        test->stage.assign(s.data, s.size);
                                        return int{PLAIT_OK};
                                      }};
    title.clear(), stage.clear();
    host.check(made.ops().next_stage(made.self(), host.context(), &request, &builder));
    return !title.empty();
  }
};

Settings settings() { return Settings(linked("plait.autoencoder")); }
PartSpec shape(std::vector<int64_t> extents) { return {"", DType::f32, std::move(extents)}; }

std::vector<LayerOf> mlp() {
  return {{"a",
           "plait.dense",
           R"(layer { name: "a" input: "image" dense { units: 50 } })",
           2,
           shape({8, 28, 28, 1}),
           shape({8, 50}),
           {"image"}},
          {"act",
           "plait.tanh",
           R"(layer { name: "act" input: "a" tanh { } })",
           0,
           shape({8, 50}),
           shape({8, 50}),
           {"a"}},
          {"b",
           "plait.dense",
           R"(layer { name: "b" input: "act" dense { units: 20 } })",
           2,
           shape({8, 50}),
           shape({8, 20}),
           {"act"}},
          {"out",
           "plait.dense",
           R"(layer { name: "out" input: "b" dense { units: 10 } })",
           2,
           shape({8, 20}),
           shape({8, 10}),
           {"b"}}};
}

TEST_CASE("a stage per layer but the last: earlier ones frozen, a decoder to the layer's input") {
  Test test(settings().set("epochs", 2.5), mlp());
  REQUIRE(test.next(0));
  CHECK(test.title == "autoencoder of a (1 of 2)");
  CHECK(test.stage ==
        "layer { input: \"image\" name: \"a\" dense { units: 50 } }\n"
        "layer { name: \"act\" input: \"a\" tanh { } }\n"
        "layer { name: \"a_decoder\" input: \"act\" dense { units: 784 } }\n"
        "loss { input: \"a_decoder\" target: \"image\" mean_squared { } }\n"
        "optimizer { adam { rate: 0.001 beta1: 0.9 } }\n"
        "train { epochs: 2.5 }\n");
  REQUIRE(test.next(1));
  CHECK(test.stage ==
        "layer { frozen: true name: \"a\" input: \"image\" dense { units: 50 } }\n"
        "layer { frozen: true name: \"act\" input: \"a\" tanh { } }\n"
        "layer { input: \"act\" name: \"b\" dense { units: 20 } }\n"
        "layer { name: \"b_decoder\" input: \"b\" dense { units: 50 } }\n"
        "loss { input: \"b_decoder\" target: \"act\" mean_squared { } }\n"
        "optimizer { adam { rate: 0.001 beta1: 0.9 } }\n"
        "train { epochs: 2.5 }\n");
  CHECK(!test.next(2));
}

TEST_CASE("the last layer, chosen layers, corruption and sgd") {
  CHECK(Test(settings().set("last", true), mlp()).next(2));
  Test test(settings().add("layers", "b").set("corruption", 0.25).set("optimizer", "sgd").set("rate", 0.1),
            mlp());
  REQUIRE(test.next(0));
  CHECK(test.title == "autoencoder of b (1 of 1)");
  CHECK(test.stage.find(
            "layer { name: \"b_corrupted\" input: \"act\" dropout { rate: 0.25 rescale: false } }\n"
            "layer { input: \"b_corrupted\" name: \"b\" dense { units: 20 } }\n") != std::string::npos);
  CHECK(test.stage.find("target: \"act\"") != std::string::npos);
  CHECK(test.stage.find("optimizer { sgd { rate: 0.1 momentum: 0.9 } }") != std::string::npos);
}

TEST_CASE("layers that cannot be pretrained are passed over, or refused when asked for") {
  auto network = mlp();
  network[0].text = R"(layer { name: "a" input: "image" frozen: true dense { units: 50 } })";
  Test test(settings(), network);
  REQUIRE(test.next(0));
  CHECK(test.title == "autoencoder of b (1 of 1)");
  CHECK(test.stage.find("layer { frozen: true name: \"a\" input: \"image\" dense") == 0);
  CHECK_THROWS_WITH(Test(settings().add("layers", "c"), mlp()).next(0), "the network has no layer \"c\"");
  Test frozen(settings().add("layers", "a"), network);
  CHECK_THROWS(frozen.next(0));
}

std::string decoder_of(const Settings& s, std::vector<int64_t> input, std::vector<int64_t> output) {
  Test conv(s, {{"c",
                 "plait.convolution",
                 R"(layer { name: "c" convolution { filters: 6 } })",
                 2,
                 shape(std::move(input)),
                 shape(std::move(output)),
                 {"image"}}});
  REQUIRE(conv.next(0));
  CHECK(conv.stage.find("layer { input: \"image\" name: \"c\" convolution { filters: 6 } }") == 0);
  const std::string head = "layer { name: \"c_decoder\" input: \"c\" ";
  const size_t begin = conv.stage.find(head) + head.size();
  return conv.stage.substr(begin, conv.stage.find('}', begin) + 1 - begin);
}

TEST_CASE("a convolution is mirrored: its decoder's output has its input's size") {
  const Settings all = settings().set("last", true);
  CHECK(decoder_of(all, {8, 28, 28, 1}, {8, 28, 28, 6}) == "convolution { filters: 1 kernel: 5 padding: 2 }");
  CHECK(decoder_of(all, {8, 14, 14, 6}, {8, 10, 10, 16}) ==
        "convolution { filters: 6 kernel: 5 padding: 4 }");
  CHECK(decoder_of(all, {8, 30, 30, 3}, {8, 27, 27, 6}) == "convolution { filters: 3 kernel: 6 padding: 4 }");
  CHECK(decoder_of(all, {8, 30, 30, 3}, {8, 32, 32, 6}) == "convolution { filters: 3 kernel: 5 padding: 1 }");
  CHECK(decoder_of(all, {8, 28, 28, 3}, {8, 14, 14, 6}) == "dense { units: 2352 }");
  const Settings dense = settings().set("last", true).set("decoder", "dense");
  CHECK(decoder_of(dense, {8, 28, 28, 1}, {8, 28, 28, 6}) == "dense { units: 784 }");
  auto strided = mlp();
  strided[0].input = shape({8, 28, 28, 3}), strided[0].output = shape({8, 14, 14, 6});
  CHECK_THROWS_WITH(
      Test(settings().set("decoder", "convolution"), strided).next(0),
      "layer \"a\" leads from f32[8, 28, 28, 3] to f32[8, 14, 14, 6], which no convolution of stride 1 "
      "leads back: set decoder to dense");
}

// A host may have joined the activation to its layer, and then names only the latter; the text is as the file
// has it.
TEST_CASE("what a layer reads stands in its text") {
  auto network = mlp();
  network[2].inputs = {"a"};
  Test test(settings(), network);
  REQUIRE(test.next(1));
  CHECK(test.stage.find("frozen: true name: \"act\" input: \"a\"") != std::string::npos);
  CHECK(test.stage.find("layer { input: \"act\" name: \"b\"") != std::string::npos);
}

TEST_CASE("text of a layer: fields of the layer itself, never of its plugin") {
  const std::string text =
      R"(layer { name: "a{input: \"" input: "x:1" input: "y" concat { input: 3 frozen: true } })";
  CHECK(field_value(text, "input") == "\"x:1\"");
  CHECK(field_value(text, "name") == R"("a{input: \"")");
  CHECK(inputs_of(text) == std::vector<std::string>{"x", "y"});
  CHECK(!has_field(text, "frozen"));
  CHECK(without_field(text, "input") == R"(layer { name: "a{input: \"" concat { input: 3 frozen: true } })");
  CHECK(with_field("layer { x { } }", "frozen: true") == "layer { frozen: true x { } }");
  CHECK(quoted("a\"$\\") == "\"a\\\"$$\\\\\"");
}

}  // namespace
