#include "registry/instance.h"

#include <doctest/doctest.h>

using namespace plait;

namespace {

const Registry& plugins() {
  static const auto loaded = Registry::load({{}, {TEST_LIBRARIES "/good"}});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  return *loaded;
}

// What the augmenters have written down since the last look.
std::string take_events() {
  static const auto library = Library::open(TEST_LIBRARIES "/good/augmenters.plait.so");
  char* events = static_cast<char*>(library->symbol("test_events"));
  std::string taken = events;
  *events = '\0';
  return taken;
}

std::shared_ptr<plait_config> defaults(const std::string& kind, const std::string& id) {
  return *default_config(*plugins().find(kind, id)->type);
}
std::shared_ptr<plait_config> defaults(const std::string& augmenter) {
  return defaults("augmenter", augmenter);
}

// A box around others: box({"shift", "crop"}).
std::shared_ptr<plait_config> box(
    const std::vector<std::pair<std::string, std::shared_ptr<plait_config>>>& children) {
  auto config = defaults("test.box");
  for (const auto& [id, child_config] : children) {
    auto child = std::make_shared<ConfigChild>();
    child->type = plugins().find("augmenter", id)->type;
    child->config = child_config;
    config->fields[0].values.push_back(child);
  }
  return config;
}

const std::vector<PartSpec> kParts = {{"image", PLAIT_U8, {28, 28, 1}, -1}};

Result<Instance> make(const std::string& id, const plait_config& config) {
  CallContext context;
  return create_augmenter(plugins(), *plugins().find("augmenter", id), config, kParts, context);
}

}  // namespace

TEST_CASE("a schedule is made from its configuration, runs, and reports why it cannot be made") {
  CallContext context;
  auto config = defaults("schedule", "test.line");
  auto line = create_instance(plugins(), *plugins().find("schedule", "test.line"), *config,
                              PLAIT_HOST_DEVICE, context);
  REQUIRE_MESSAGE(line, line.status().message());
  const plait_schedule_call call{sizeof call, 0, 1.0, 4, 10, 5, 0, 0, nullptr};
  double value = 0;
  CHECK(line->ops<plait_schedule_ops>()->value(line->self(), context.raw(), &call, &value) == PLAIT_OK);
  CHECK(value == 3.0);  // 1 + 0.5 * 4 + 0
  config->fields[0].values[0] = 0.25;
  auto refused = create_instance(plugins(), *plugins().find("schedule", "test.line"), *config,
                                 PLAIT_HOST_DEVICE, context);
  CHECK(refused.status().code() == Code::kInvalid);
  CHECK(refused.status().message() == "test.line: slope 0.25 brings bad luck");
}

TEST_CASE("children are made first, depth first, and destroyed after their parent") {
  take_events();
  const auto shift = defaults("test.shift");
  const auto config = box({{"test.box", box({{"test.shift", shift}})}, {"test.shift", shift}});
  {
    auto made = make("test.box", *config);
    REQUIRE_MESSAGE(made, made.status().message());
    CHECK(take_events() == "shift+ shift? box+ shift+ box? shift? box+ ");
  }
  CHECK(take_events() == "box- shift- box- shift- ");
}

TEST_CASE("two instances of one configuration keep their own children") {
  take_events();
  const auto config = box({{"test.shift", defaults("test.shift")}});
  auto first = make("test.box", *config);
  auto second = make("test.box", *config);
  REQUIRE(first);
  REQUIRE(second);
  const plait_host& host = host_table();
  const plait_child* first_child = host.config_child(&first->config(), "of", 0);
  const plait_child* second_child = host.config_child(&second->config(), "of", 0);
  REQUIRE(first_child != nullptr);
  REQUIRE(second_child != nullptr);
  CHECK(first_child->self != second_child->self);
  CHECK(std::string(first_child->id) == "test.shift");
  CHECK(std::string(first_child->kind) == "augmenter");
  CHECK(first_child->rules == plugins().find("augmenter", "test.shift")->type->rules);
  CHECK(host.config_child(config.get(), "of", 0) ==
        nullptr);  // the file's own configuration knows no instances
  *second = Instance();
  CHECK(host.config_child(&first->config(), "of", 0) == first_child);
}

TEST_CASE("when a child cannot be made, those before it are destroyed") {
  take_events();
  const auto shift = defaults("test.shift");
  const auto fitted =
      make("test.box", *box({{"test.shift", shift}, {"test.fitted", defaults("test.fitted")}}));
  CHECK(fitted.status().code() == Code::kUnsupported);
  CHECK(take_events() == "shift+ shift- ");
}

TEST_CASE("an augmenter works in the memory of the one around it") {
  const auto roomy = make("test.box", *box({{"test.roomy", defaults("test.roomy")}}));
  CHECK(roomy.status().code() == Code::kUnsupported);
  CHECK(roomy.status().message().find(
            "test.roomy inside it works in 24 bytes of memory, and it asks the host for 0: wanted as many") !=
        std::string::npos);
  take_events();
}

TEST_CASE("parts: what comes out, and a child that changes them") {
  CallContext context;
  const auto& crop = *plugins().find("augmenter", "test.crop");
  auto out = infer_augmenter(crop, *defaults("test.crop"), kParts, context);
  REQUIRE(out);
  CHECK(*out == std::vector<PartSpec>{{"image", PLAIT_U8, {14, 28, 1}, -1}});
  auto in_box = make("test.box", *box({{"test.crop", defaults("test.crop")}}));
  CHECK(in_box.status().code() == Code::kInvalid);
  CHECK(in_box.status().message() ==
        "test.crop inside another augmenter has to keep the parts: got image [14, 28, 1] u8 for image [28, "
        "28, 1] u8");
}

TEST_CASE("parts that cannot be are refused") {
  CallContext context;
  const auto& crop = *plugins().find("augmenter", "test.crop");
  // Half of one row is none.
  auto out = infer_augmenter(crop, *defaults("test.crop"), {{"image", PLAIT_U8, {1, 28}, -1}}, context);
  CHECK(out.status().message() == "test.crop: part \"image\": got extents [0, 28], wanted each >= 1");
  PartsCollector twice;
  const plait_tensor_spec spec = kParts[0].raw();
  CHECK(twice.raw()->part(twice.raw(), &spec) == PLAIT_OK);
  CHECK(twice.raw()->part(twice.raw(), &spec) == PLAIT_FAILED);
  CHECK(twice.take({}).status().message() == "two parts \"image\"");
}

TEST_CASE("a kind that needs more than a configuration is not made from one") {
  CallContext context;
  auto made = create_instance(plugins(), *plugins().find("augmenter", "test.shift"),
                              *defaults("test.shift"), PLAIT_HOST_DEVICE, context);
  CHECK(made.status().code() == Code::kInvalid);
}
