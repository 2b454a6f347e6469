// Tests of the pretrainer: the stage that it builds for a network of two layers, and that it is the only one.
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_pretrainer.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  Made<plait_pretrainer_ops> made(host, entry, Settings(entry).set("epochs", 3));

  const PartSpec picture("image", DType::f32, {5, 4, 3, 1}), code("", DType::f32, {5, 2});
  TestNetwork network;
  network.add("f1", "plait.dense", {"image"}, picture, code)
      .parameters(2)
      .mirror(Block("plait.dense").set("units", 12));
  network.add("a1", "plait.relu", {"f1"}, code, code).activation();

  TestStage stage;
  stage.ask(host, made.ops(), made.self(), network, 0);
  CHECK(stage.text ==
        "stage encode\n"
        "copy f1\n"
        "layer decoder < f1: plait.dense{units: 12}\n"
        "loss decoder to image: plait.mean_squared{} weight 1\n"
        "epochs 3\n");
  stage.ask(host, made.ops(), made.self(), network, 1);
  CHECK(stage.text.empty());
  return 0;
}
