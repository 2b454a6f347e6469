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
  plait_child loss{};
  loss.id = "acme.squares";
  const Settings settings =
      Settings(entry).set("epochs", 3).set("loss", static_cast<const plait_child*>(&loss));
  Made<plait_pretrainer_ops> made(host, entry, settings);

  const PartSpec picture("image", DType::f32, {5, 4, 3, 1}), code("", DType::f32, {5, 2});
  TestNetwork network;
  network.add("f1", "acme.plane", {"image"}, picture, code)
      .parameters(2)
      .mirror(Block("acme.plane").set("units", 12));
  network.add("a1", "acme.relu", {"f1"}, code, code).activation();

  TestStage stage;
  stage.ask(host, made.ops(), made.self(), network, 0);
  CHECK(stage.text ==
        "stage encode\n"
        "copy f1\n"
        "layer decoder < f1: acme.plane{units: 12}\n"
        "loss decoder to image: acme.squares{} weight 1\n"
        "epochs 3\n");
  stage.ask(host, made.ops(), made.self(), network, 1);
  CHECK(stage.text.empty());
  return 0;
}
