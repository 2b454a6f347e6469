// What a struct says of itself, and how a configuration fills it.
#include <doctest/doctest.h>

#include <cmath>
#include <plait/sdk.hpp>
#include <plait/sdk/testing.hpp>

namespace plait::sdk {
namespace {

using testing::Settings;
using testing::TestHost;

struct Box {
  int edge = 3;
  static void describe(Describe<Box>& d) { d.field("edge", &Box::edge).doc("length").unit("px"); }
  void validate() const {
    if (edge == 13) throw Error("edge must not be ", edge);
  }
};

enum class Mode { kFast, kExact };

struct Everything {
  bool on = true;
  uint8_t small = 7;
  int64_t big = -5;
  float rate = 0.1f;
  double rest = 1e-8;
  std::string label = "say \"hi\"";
  std::string word = "edge";
  Mode mode = Mode::kExact;
  std::vector<int> sizes = {1, 2};
  std::vector<float> none;
  std::optional<double> maybe;
  Box box;
  std::vector<Box> boxes;
  Child<Schedule> child;

  static void describe(Describe<Everything>& d) {
    d.doc("all kinds of fields");
    d.field("on", &Everything::on).doc("a");
    d.field("small", &Everything::small).doc("a");
    d.field("big", &Everything::big).doc("a").required();
    d.field("rate", &Everything::rate).doc("a").above(0).below(1).runtime();
    d.field("rest", &Everything::rest).doc("a").at_least(0);
    d.field("label", &Everything::label).doc("a").path();
    d.field("word", &Everything::word).doc("a").choices({"zero", "edge"});
    d.field("mode", &Everything::mode).doc("a").choices({"fast", "exact"});
    d.field("sizes", &Everything::sizes).doc("a").range(1, 9);
    d.field("none", &Everything::none).doc("a");
    d.field("maybe", &Everything::maybe).doc("a");
    d.field("box", &Everything::box).doc("a");
    d.field("boxes", &Everything::boxes).doc("a");
    d.field("child", &Everything::child).doc("a");
  }
};

const plait_field& field(const std::string& name) {
  const auto& described = detail::description<Everything>();
  for (uint32_t i = 0; i < described.n_fields(); ++i) {
    if (described.fields()[i]->name == name) return *described.fields()[i];
  }
  throw std::runtime_error("no field " + name);
}

std::string default_of(const std::string& name) {
  return field(name).default_text ? field(name).default_text : "absent";
}

TEST_CASE("defaults are the members' initialisers, as a file would write them") {
  CHECK(default_of("on") == "true");
  CHECK(default_of("small") == "7");
  CHECK(default_of("big") == "absent");
  CHECK(default_of("rate") == "0.1");
  CHECK(default_of("rest") == "1e-08");
  CHECK(default_of("label") == "\"say \\\"hi\\\"\"");
  CHECK(default_of("word") == "edge");
  CHECK(default_of("mode") == "exact");
  CHECK(default_of("sizes") == "1, 2");
  CHECK(default_of("none") == "absent");
  CHECK(default_of("maybe") == "absent");
  CHECK(default_of("box") == "absent");
}

TEST_CASE("kinds, flags and bounds") {
  CHECK(field("on").kind == PLAIT_FIELD_BOOL);
  CHECK(field("small").kind == PLAIT_FIELD_I64);
  CHECK(field("small").low == 0);
  CHECK(field("small").high == 255);
  CHECK(field("big").flags == PLAIT_FIELD_REQUIRED);
  CHECK(field("rate").flags == (PLAIT_FIELD_RUNTIME | PLAIT_FIELD_LOW_OPEN | PLAIT_FIELD_HIGH_OPEN));
  CHECK(field("rest").high == INFINITY);
  CHECK(field("label").flags == PLAIT_FIELD_PATH);
  CHECK(field("word").kind == PLAIT_FIELD_ENUM);
  CHECK(field("word").n_enum_names == 2);
  CHECK(field("sizes").flags == PLAIT_FIELD_REPEATED);
  CHECK(field("box").kind == PLAIT_FIELD_MESSAGE);
  CHECK(field("box").n_fields == 1);
  CHECK(std::string(field("box").fields[0]->unit) == "px");
  CHECK(field("boxes").flags == PLAIT_FIELD_REPEATED);
  CHECK(std::string(field("child").child_kind) == "schedule");
}

Settings defaults() {
  const auto& described = detail::description<Everything>();
  return Settings(described.fields(), described.n_fields());
}

Everything read(TestHost& host, const Settings& settings) {
  Everything result;
  detail::read_config(host.context(), settings.c(), result);
  return result;
}

TEST_CASE("a configuration fills the struct") {
  TestHost host;
  Settings box;
  box.set("edge", 5);
  const Everything got = read(host, defaults()
                                        .set("on", false)
                                        .set("small", 200)
                                        .set("big", 12)
                                        .set("mode", "fast")
                                        .set("label", "x")
                                        .set("maybe", 0.5)
                                        .add("sizes", 8)
                                        .set("box", box)
                                        .add("boxes", box)
                                        .add("boxes", Settings()));
  CHECK(!got.on);
  CHECK(got.small == 200);
  CHECK(got.big == 12);
  CHECK(got.rate == 0.1f);
  CHECK(got.mode == Mode::kFast);
  CHECK(got.label == "x");
  CHECK(got.maybe == 0.5);
  CHECK(got.sizes == std::vector<int>{1, 2, 8});
  CHECK(got.box.edge == 5);
  REQUIRE(got.boxes.size() == 2);
  CHECK(got.boxes[0].edge == 5);
  CHECK(got.boxes[1].edge == 3);
  CHECK(!got.child);
}

TEST_CASE("values that do not fit are refused with their text") {
  TestHost host;
  CHECK_THROWS_WITH(read(host, defaults().set("small", 300)), "field \"small\": 300 is out of range");
  CHECK_THROWS_WITH(read(host, defaults().set("on", 3)), "field \"on\" has no value of the kind described");
  Settings box;
  box.set("edge", 13);
  CHECK_THROWS_WITH(read(host, defaults().set("box", box)), "edge must not be 13");
}

struct Derived : Box {
  static void describe(Describe<Derived>& d) { d.field("edge", &Derived::edge).doc("inherited"); }
};

TEST_CASE("an inherited member can be described") {
  TestHost host;
  Derived got;
  detail::read_config(host.context(), Settings().set("edge", 4).c(), got);
  CHECK(got.edge == 4);
}

}  // namespace
}  // namespace plait::sdk
