#include "registry/config.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "registry/registry.h"

using namespace plait;

namespace {

plait_field field(uint32_t kind, double low = -INFINITY, double high = INFINITY, uint32_t flags = 0) {
  plait_field made{};
  made.struct_size = sizeof made;
  made.kind = kind;
  made.flags = flags;
  made.name = "kernel";
  made.doc = "A field.";
  made.low = low;
  made.high = high;
  return made;
}

std::string refusal(const plait_field& of, const std::string& text) {
  return parse_value(of, text).status().message();
}

// Configuration of the test plugin "line" with its defaults.
std::shared_ptr<plait_config> line_defaults() {
  static auto registry = Registry::load({{TEST_LIBRARIES "/good/line.plait.so"}, {}});
  REQUIRE_MESSAGE(registry, registry.status().message());
  auto config = default_config(*registry->find("schedule", "test.line")->type);
  REQUIRE_MESSAGE(config, config.status().message());
  return *config;
}

}  // namespace

TEST_CASE("integers: value, range, text that is none") {
  const plait_field at_least_1 = field(PLAIT_FIELD_I64, 1);
  CHECK(std::get<int64_t>(*parse_value(at_least_1, "3")) == 3);
  CHECK(refusal(at_least_1, "-3") == "kernel: got -3, wanted an integer >= 1");
  CHECK(refusal(at_least_1, "2.5") == "kernel: got \"2.5\", wanted an integer >= 1");
  CHECK(refusal(at_least_1, "") == "kernel: got \"\", wanted an integer >= 1");
  CHECK(refusal(at_least_1, "9223372036854775808") ==
        "kernel: got \"9223372036854775808\", wanted an integer >= 1");
  CHECK(refusal(field(PLAIT_FIELD_I64, 0, 7), "8") == "kernel: got 8, wanted an integer >= 0 and <= 7");
  // Beyond 2^53, where a double would round the value onto the bound.
  const plait_field large = field(PLAIT_FIELD_I64, -INFINITY, 9007199254740992.0);
  CHECK(parse_value(large, "9007199254740992"));
  CHECK(!parse_value(large, "9007199254740993"));
}

TEST_CASE("numbers: open and closed ends, infinity, not a number") {
  const plait_field closed = field(PLAIT_FIELD_F64, 0, 1);
  CHECK(std::get<double>(*parse_value(closed, "0")) == 0);
  CHECK(std::get<double>(*parse_value(closed, "1e0")) == 1);
  const plait_field open = field(PLAIT_FIELD_F64, 0, 1, PLAIT_FIELD_LOW_OPEN | PLAIT_FIELD_HIGH_OPEN);
  CHECK(parse_value(open, "1e-37"));
  CHECK(refusal(open, "0") == "kernel: got 0, wanted a number > 0 and < 1");
  CHECK(refusal(open, "1") == "kernel: got 1, wanted a number > 0 and < 1");
  plait_field endless = field(PLAIT_FIELD_F64, 0);
  CHECK(refusal(endless, "inf") == "kernel: got inf, wanted a number of at most 3.4e+38, which f32 can hold");
  CHECK(refusal(endless, "1e300") ==
        "kernel: got 1e+300, wanted a number of at most 3.4e+38, which f32 can hold");
  CHECK(refusal(endless, "1e-300") ==
        "kernel: got 1e-300, wanted a number of at least 1.18e-38, which f32 can hold, or 0");
  endless.default_text = "inf";
  CHECK(parse_value(endless, "inf"));
  CHECK(!parse_value(field(PLAIT_FIELD_F64, 0, INFINITY, PLAIT_FIELD_HIGH_OPEN), "inf"));
  CHECK(refusal(field(PLAIT_FIELD_F64), "nan") == "kernel: got nan, wanted a number");
}

TEST_CASE("enums and switches") {
  const char* const names[] = {"same", "valid"};
  plait_field mode = field(PLAIT_FIELD_ENUM);
  mode.enum_names = names;
  mode.n_enum_names = 2;
  CHECK(std::get<std::string>(*parse_value(mode, "same")) == "same");
  CHECK(refusal(mode, "smae") == "kernel: got \"smae\", wanted one of same, valid (did you mean same?)");
  CHECK(std::get<bool>(*parse_value(field(PLAIT_FIELD_BOOL), "true")));
  CHECK(refusal(field(PLAIT_FIELD_BOOL), "yes") == "kernel: got \"yes\", wanted true or false");
  CHECK(check_value(field(PLAIT_FIELD_BOOL), ConfigValue(int64_t{1})).code() == Code::kInvalid);
}

TEST_CASE("a scalar's text is read back to the same value") {
  for (double value : {0.1, 1.0 / 3, 1.2e-38, 3.4e38, -0.0}) {
    const auto back = parse_value(field(PLAIT_FIELD_F64), value_text(value));
    REQUIRE(back);
    CHECK(std::memcmp(&std::get<double>(*back), &value, sizeof value) == 0);
  }
  for (const std::string& value : {std::string("a \"b\" \\ c\nd"), std::string(), std::string("x,y")}) {
    CHECK(std::get<std::string>(*parse_value(field(PLAIT_FIELD_STRING), value_text(value))) == value);
  }
}

TEST_CASE("defaults: lists, quoted text, nested fields, and fields that have none") {
  const auto config = line_defaults();
  REQUIRE(config->find("steps") != nullptr);
  CHECK(config->find("steps")->values == std::vector<ConfigValue>{int64_t{1}, int64_t{2}});
  CHECK(config->find("label")->values == std::vector<ConfigValue>{std::string("a, b")});
  CHECK(config->find("must")->values.empty());
  CHECK(config->find("absent")->values.empty());
  CHECK(config->find("inner")->values.size() == 1);
  CHECK(config->find("none") == nullptr);
}

TEST_CASE("the host's accessors: value, count, wrong kind, beyond the end") {
  const auto owner = line_defaults();
  const plait_config* config = owner.get();
  const plait_host& host = host_table();
  double number = 0;
  int64_t integer = 0;
  int32_t flag = 0;
  plait_str text{};
  CHECK(host.config_f64(config, "slope", 0, &number) == PLAIT_OK);
  CHECK(number == 0.5);
  CHECK(host.config_count(config, "steps") == 2);
  CHECK(host.config_i64(config, "steps", 1, &integer) == PLAIT_OK);
  CHECK(integer == 2);
  CHECK(host.config_i64(config, "steps", 2, &integer) == PLAIT_FAILED);
  CHECK(host.config_bool(config, "flag", 0, &flag) == PLAIT_OK);
  CHECK(flag == 1);
  CHECK(host.config_string(config, "mode", 0, &text) == PLAIT_OK);
  CHECK(std::string(text.data, text.size) == "up");
  CHECK(host.config_f64(config, "steps", 0, &number) == PLAIT_FAILED);
  CHECK(host.config_f64(config, "none", 0, &number) == PLAIT_FAILED);
  CHECK(host.config_count(config, "must") == 0);
  CHECK(host.config_count(config, "none") == 0);
  CHECK(host.config_string(config, "must", 0, &text) == PLAIT_FAILED);
  const plait_config* inner = host.config_message(config, "inner", 0);
  REQUIRE(inner != nullptr);
  CHECK(host.config_i64(inner, "amount", 0, &integer) == PLAIT_OK);
  CHECK(integer == 0);
  CHECK(host.config_message(config, "absent", 0) == nullptr);
  CHECK(host.config_child(config, "inner", 0) == nullptr);
}

TEST_CASE("a clone shares nothing") {
  const auto config = line_defaults();
  const auto copy = clone_config(*config);
  auto& nested = std::get<std::shared_ptr<plait_config>>(copy->fields[6].values[0]);
  nested->fields[0].values[0] = int64_t{7};
  const auto& original = std::get<std::shared_ptr<plait_config>>(config->fields[6].values[0]);
  CHECK(original->fields[0].values == std::vector<ConfigValue>{int64_t{0}});
  CHECK(copy->type == config->type);
}
