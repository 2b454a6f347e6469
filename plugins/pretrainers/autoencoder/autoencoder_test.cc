#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_pretrainer.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kAutoencoder = linked("plait.autoencoder");

Settings settings() { return Settings(kAutoencoder); }
PartSpec shape(std::vector<int64_t> extents) { return {"", DType::f32, std::move(extents)}; }
Block dense(int64_t units) { return Block("plait.dense").set("units", units); }

// image - a - act - b - out
struct Test {
  TestHost host;
  Made<plait_pretrainer_ops> made;
  TestNetwork network;
  TestStage stage;

  explicit Test(const Settings& s = settings()) : made(host, kAutoencoder, s) {
    network.add("a", "plait.dense", {"image"}, shape({8, 28, 28, 1}), shape({8, 50}))
        .parameters(2)
        .mirror(dense(784));
    network.add("act", "plait.tanh", {"a"}, shape({8, 50}), shape({8, 50})).activation();
    network.add("b", "plait.dense", {"act"}, shape({8, 50}), shape({8, 20})).parameters(2).mirror(dense(50));
    network.add("out", "plait.dense", {"b"}, shape({8, 20}), shape({8, 10})).parameters(2).mirror(dense(20));
  }
  const std::string& next(uint32_t number) {
    stage.ask(host, made.ops(), made.self(), network, number);
    return stage.text;
  }
};

TEST_CASE("a stage per layer but the last: earlier ones frozen, a decoder to the layer's input") {
  Test test(settings().set("epochs", 2.5));
  CHECK(test.next(0) ==
        "stage autoencoder of a (1 of 2)\n"
        "copy a < image\n"
        "copy act\n"
        "layer a_decoder < act: plait.dense{units: 784}\n"
        "loss a_decoder to image: plait.mean_squared{} weight 1\n"
        "epochs 2.5\n");
  CHECK(test.next(1) ==
        "stage autoencoder of b (2 of 2)\n"
        "copy a frozen\n"
        "copy act frozen\n"
        "copy b < act\n"
        "layer b_decoder < b: plait.dense{units: 50}\n"
        "loss b_decoder to act: plait.mean_squared{} weight 1\n"
        "epochs 2.5\n");
  CHECK(test.next(2).empty());
}

TEST_CASE("the last layer, chosen layers and corruption") {
  CHECK(!Test(settings().set("last", true)).next(2).empty());
  CHECK(Test(settings().add("layers", "b").set("corruption", 0.25)).next(0) ==
        "stage autoencoder of b (1 of 1)\n"
        "copy a frozen\n"
        "copy act frozen\n"
        "corrupt b_corrupted < act: masking 0.25\n"
        "copy b < b_corrupted\n"
        "layer b_decoder < b: plait.dense{units: 50}\n"
        "loss b_decoder to act: plait.mean_squared{} weight 1\n"
        "epochs 1\n");
}

TEST_CASE("what the person wrote takes the place of mirror, loss and optimizer") {
  plait_child decoder{}, loss{}, optimizer{};
  decoder.id = "acme.back", loss.id = "acme.huber", optimizer.id = "acme.descent";
  const std::string& text =
      Test(settings().set("decoder", &decoder).set("loss", &loss).set("optimizer", &optimizer)).next(0);
  CHECK(text.find("layer a_decoder < act: acme.back{}\n") != std::string::npos);
  CHECK(text.find("loss a_decoder to image: acme.huber{} weight 1\n") != std::string::npos);
  CHECK(text.find("optimizer acme.descent{}\n") != std::string::npos);
}

TEST_CASE("layers that cannot be pretrained are passed over, or refused when asked for") {
  Test test;
  test.network[0].frozen();
  CHECK(test.next(0).rfind("stage autoencoder of b (1 of 1)\ncopy a frozen\n", 0) == 0);
  CHECK_THROWS_WITH(Test(settings().add("layers", "c")).next(0), "the network has no layer \"c\"");
  Test asked(settings().add("layers", "a"));
  asked.network[0].frozen();
  CHECK_THROWS(asked.next(0));
  Test sharing;
  sharing.network[2].shares();
  CHECK(sharing.next(0).rfind("stage autoencoder of a (1 of 1)", 0) == 0);
  Test normalizing;
  normalizing.network[2].buffers(2);
  CHECK(normalizing.next(0).rfind("stage autoencoder of a (1 of 1)", 0) == 0);
}

TEST_CASE("a layer without a mirror wants a decoder that is written") {
  Test test;
  test.network.add("odd", "acme.odd", {"out"}, shape({8, 10}), shape({8, 4})).parameters(1);
  Test odd(settings().add("layers", "odd"));
  odd.network.add("odd", "acme.odd", {"out"}, shape({8, 10}), shape({8, 4})).parameters(1);
  CHECK_THROWS_WITH(odd.next(0),
                    "layer \"odd\" (acme.odd, f32[8, 10] to f32[8, 4]) names no layer that leads back");
}

TEST_CASE("names that the network has are not taken again, and a second output is its layer's") {
  Test test(settings().add("layers", "b"));
  test.network.add("b_decoder", "plait.relu", {"b"}, shape({8, 20}), shape({8, 20})).activation();
  CHECK(test.next(0).find("layer b_decoder_ < b_decoder: ") != std::string::npos);
  TestHost host;
  Made<plait_pretrainer_ops> made(host, kAutoencoder, settings().set("last", true));
  TestNetwork network;
  network.add("halves", "plait.split", {"image"}, shape({8, 6}), shape({8, 3}));
  network.add("f", "plait.dense", {"halves:1"}, shape({8, 3}), shape({8, 2})).parameters(2).mirror(dense(3));
  TestStage stage;
  stage.ask(host, made.ops(), made.self(), network, 0);
  CHECK(stage.text.find("copy halves frozen\ncopy f < halves:1\n") != std::string::npos);
  CHECK(stage.text.find("loss f_decoder to halves:1: ") != std::string::npos);
}

}  // namespace
