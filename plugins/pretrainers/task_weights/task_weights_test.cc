#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_pretrainer.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kTaskWeights = linked("plait.task_weights");

PartSpec shape(std::vector<int64_t> extents) { return {"", DType::f32, std::move(extents)}; }

// image - a - act - b
struct Test {
  TestHost host;
  Made<plait_pretrainer_ops> made;
  TestNetwork network;
  TestStage stage;

  explicit Test(const Settings& settings) : made(host, kTaskWeights, settings) {
    network.add("a", "acme.plane", {"image"}, shape({8, 28, 28, 1}), shape({8, 50})).parameters(2);
    network.add("act", "acme.bend", {"a"}, shape({8, 50}), shape({8, 50})).activation();
    network.add("b", "acme.plane", {"act"}, shape({8, 50}), shape({8, 20})).parameters(2);
  }
  const std::string& next(uint32_t number) {
    stage.ask(host, made.ops(), made.self(), network, number);
    return stage.text;
  }
};

Settings settings(const char* layer) {
  static const plait_child clusters = [] {
    plait_child child{};
    child.struct_size = sizeof child;
    child.id = "acme.clusters";
    return child;
  }();
  Settings made(kTaskWeights);
  made.set("layer", layer).set("task", &clusters).set("array", "centres");
  return made;
}

TEST_CASE("the first layer's records are the samples") {
  Test test(settings("a"));
  CHECK(test.next(0) ==
        "stage weights of a\n"
        "task < image: acme.clusters{}\n"
        "take a.weight = centres\n");
  CHECK(test.next(1) == "");
}

TEST_CASE("a later layer's are made by the layers before it, frozen") {
  Test test(settings("b").set("parameter", "bias"));
  CHECK(test.next(0) ==
        "stage weights of b\n"
        "copy a frozen\n"
        "copy act frozen\n"
        "task < act: acme.clusters{}\n"
        "take b.bias = centres\n");
  CHECK(test.next(1) == "");
}

TEST_CASE("input names another layer; what is not there is refused") {
  Test test(settings("b").set("input", "a"));
  CHECK(test.next(0) ==
        "stage weights of b\n"
        "copy a frozen\n"
        "task < a: acme.clusters{}\n"
        "take b.weight = centres\n");
  Test none(settings("c"));
  CHECK_THROWS_WITH(none.next(0), "the network has no layer \"c\"");
}

}  // namespace
