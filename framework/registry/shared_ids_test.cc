// Types of several kinds that share an id.
#include <doctest/doctest.h>

#include <plait/sdk.hpp>

#include "registry/check.h"
#include "registry/registry.h"

using namespace plait;

namespace {

struct Line {
  static void describe(sdk::Describe<Line>& d) { d.doc("x as it is"); }
  void forward(sdk::Context&, sdk::In x, sdk::Out y) const { std::copy(x.begin(), x.end(), y.begin()); }
  void backward(sdk::Context&, sdk::In, sdk::In dy, sdk::Out dx) const {
    std::copy(dy.begin(), dy.end(), dx.begin());
  }
};
struct Flat {
  static void describe(sdk::Describe<Flat>& d) { d.doc("as the file has it"); }
  double value(const sdk::ScheduleCall& call) const { return call.base; }
};

sdk::Entry of_kind(sdk::Entry entry, const char* kind) {
  entry.implementation.kind = kind;
  return entry;
}
sdk::Entry on(const char* device) {
  sdk::Entry entry = sdk::layer<Line>("test.same");
  entry.type = {};
  entry.implementation.device_id = device;
  return entry;
}

const sdk::PluginTable kBoth("test.both", "1", "none", sdk::layer<Line>("test.same"),
                             sdk::schedule<Flat>("test.same"), on("test.moon"));

}  // namespace

TEST_CASE("a layer and a schedule of one id are found by their kinds") {
  const auto registry = Registry::from_plugins({kBoth.c()});
  REQUIRE_MESSAGE(registry, registry.status().message());
  REQUIRE(registry->types().size() == 2);
  const TypeEntry* layer = registry->find("layer", "test.same");
  const TypeEntry* schedule = registry->find("schedule", "test.same");
  REQUIRE(layer != nullptr);
  REQUIRE(schedule != nullptr);
  CHECK(std::string(layer->type->doc) == "x as it is");
  CHECK(std::string(schedule->type->doc) == "as the file has it");
  CHECK(registry->find("loss", "test.same") == nullptr);
  CHECK(registry->named("test.same") == std::vector{layer, schedule});
  CHECK(layer->implementations.count("test.moon") == 1);
  CHECK(schedule->implementations.count("test.moon") == 0);
  CHECK(registry->ops<plait_schedule_ops>("test.same").value() != nullptr);
  CHECK(registry->implementation("schedule", "test.same", "test.moon").status().message() ==
        "test.same has no implementation for device test.moon, only for host");
}

TEST_CASE("an implementation that does not say its kind is of its library's type, or of the only one") {
  const sdk::PluginTable layers("test.layers", "1", "none", of_kind(sdk::layer<Line>("test.same"), nullptr));
  const sdk::PluginTable schedules("test.schedules", "1", "none",
                                   of_kind(sdk::schedule<Flat>("test.same"), nullptr));
  const auto apart = Registry::from_plugins({layers.c(), schedules.c()});
  REQUIRE_MESSAGE(apart, apart.status().message());
  CHECK(apart->find("layer", "test.same")->implementations.size() == 1);
  CHECK(apart->find("schedule", "test.same")->implementations.size() == 1);

  const sdk::PluginTable moon("test.moon_kernels", "1", "none", of_kind(on("test.moon"), nullptr));
  CHECK(Registry::from_plugins({layers.c(), moon.c()})->find("layer", "test.same")->implementations.size() ==
        2);
  CHECK(Registry::from_plugins({kBoth.c(), moon.c()}).status().message() ==
        "\"test.moon_kernels\" implements test.same on test.moon, without its kind: types of the kinds layer "
        "and schedule have this id");
}

TEST_CASE("tables in which a kind is wrong, missing or there twice are refused") {
  const auto refusal = [](const auto& table) { return check_tables(*table.c()).message(); };
  CHECK(refusal(sdk::PluginTable("test.a", "1", "none", sdk::layer<Line>("test.same"),
                                 sdk::layer<Line>("test.same"))) == "layer test.same is defined twice");
  CHECK(
      refusal(sdk::PluginTable("test.a", "1", "none", of_kind(on("test.moon"), "teapot")))
          .starts_with("test.same on test.moon is implemented for the unknown kind \"teapot\", wanted one of "
                       "layer, loss, "));
  CHECK(refusal(sdk::PluginTable("test.a", "1", "none", sdk::layer<Line>("test.same"),
                                 sdk::schedule<Flat>("test.same"), of_kind(on("test.moon"), nullptr))) ==
        "implements test.same on test.moon without its kind: types of the kinds layer and schedule have this "
        "id");
  CHECK(refusal(sdk::PluginTable("test.a", "1", "none", on("test.moon"), on("test.moon"))) ==
        "layer test.same is implemented twice on test.moon");
}

TEST_CASE("an older implementation, whose struct ends before its kind, is of its type") {
  sdk::Entry old = sdk::schedule<Flat>("test.same");
  old.implementation.struct_size = offsetof(plait_implementation, kind);
  old.implementation.kind = "poison";
  const sdk::PluginTable table("test.old", "1", "none", old);
  CHECK(kind_of_implementation(*table.c(), *table.c()->implementations[0]).value() == "schedule");
}

TEST_CASE("on a device a metric needs what is called there, and an augmenter apply_samples") {
  const auto refusal = [](const char* kind, const plait_type& type, const void* ops) {
    plait_implementation made{};
    made.struct_size = sizeof made;
    made.type_id = type.id, made.device_id = "test.moon", made.ops = ops, made.kind = kind;
    return check_operations(type, made).message();
  };
  plait_type type{};
  type.struct_size = sizeof type, type.id = "test.same", type.kind = "metric";
  plait_metric_ops metric{};
  metric.struct_size = sizeof metric;
  CHECK(refusal("metric", type, &metric) == "operations without create, destroy, update");
  metric.create = [](auto...) { return 0; };
  metric.destroy = [](void*) {};
  metric.update = [](auto...) { return 0; };
  CHECK(refusal("metric", type, &metric).empty());
  type.kind = "augmenter";
  plait_augmenter_ops augmenter{};
  augmenter.struct_size = sizeof augmenter;
  augmenter.create = [](auto...) { return 0; };
  augmenter.destroy = [](void*) {};
  augmenter.apply = [](auto...) { return 0; };
  CHECK(refusal("augmenter", type, &augmenter) == "operations without apply_samples");
  augmenter.apply_samples = augmenter.apply;
  CHECK(refusal("augmenter", type, &augmenter).empty());
  // One of an age that does not know it.
  augmenter.struct_size = offsetof(plait_augmenter_ops, apply_samples);
  CHECK(refusal("augmenter", type, &augmenter) == "operations without apply_samples");
}
