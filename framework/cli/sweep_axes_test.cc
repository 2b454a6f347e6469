#include "cli/sweep_axes.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

namespace plait::inline cli {
namespace {

using Words = std::vector<std::string>;

SweepAxis axis(const std::string& setting) {
  const auto read = sweep_axis(setting);
  REQUIRE_MESSAGE(read, read.status().message());
  return *read;
}
std::string error_of(const std::string& setting) {
  const auto read = sweep_axis(setting);
  return read ? "" : read.status().message();
}

TEST_CASE("choices are cut at commas outside of brackets and quotes") {
  CHECK(axis("a.b=choice(0.1, 0.01)").path == "a.b");
  CHECK(axis("a.b=choice(0.1, 0.01)").values == Words{"0.1", "0.01"});
  CHECK(axis("o=choice(one{rate:0.1, x:[1,2]},two{})").values == Words{"one{rate:0.1, x:[1,2]}", "two{}"});
  CHECK(axis("o=choice(\"a,b\",'c)')").values == Words{"\"a,b\"", "'c)'"});
}

TEST_CASE("other values are taken as they are") {
  CHECK(axis("train.shards=4").values == Words{"4"});
  CHECK(axis("name=plain (not a call)").values == Words{"plain (not a call)"});
  CHECK(axis("name=").values == Words{""});
}

TEST_CASE("ranges have both ends and no digits of rounding") {
  CHECK(axis("a=range(0.1,0.5,0.1)").values == Words{"0.1", "0.2", "0.3", "0.4", "0.5"});
  CHECK(axis("a=range(16,64,16)").values == Words{"16", "32", "48", "64"});
  CHECK(axis("a=range(1,2,0.4)").values == Words{"1", "1.4", "1.8"});
  CHECK(axis("a=log(0.001,1,4)").values == Words{"0.001", "0.01", "0.1", "1"});
  CHECK(axis("a=log(1,1000000,2)").values == Words{"1", "1000000"});
  CHECK(axis("a=log(10,100000000,8)").values.back() == "100000000");
  CHECK(axis("a=range(9007199254740990,9007199254740992,1)").values ==
        Words{"9007199254740990", "9007199254740991", "9007199254740992"});
}

TEST_CASE("what makes no sense is refused with what was got") {
  CHECK(error_of("a") == "sweep: \"a\": wanted PATH=VALUE");
  CHECK(error_of("a=range(1,2,0)") ==
        "sweep: a: a step of 0 from 1 to 2, wanted one above 0 that makes at most 100000 values");
  CHECK(error_of("a=range(0,1,1e-9)") ==
        "sweep: a: a step of 1e-09 from 0 to 1, wanted one above 0 that makes at most 100000 values");
  CHECK(error_of("a=range(2,1,1)") == "sweep: a: 2 is above 1");
  CHECK(error_of("a=range(1,x,1)") == "sweep: a: range(...) wants numbers, got \"x\"");
  for (const char* beyond : {"1e400", "-1e400", "1e-400", "inf", "nan"})
    CHECK(error_of(std::string("a=range(0,") + beyond + ",1)") ==
          std::string("sweep: a: range(...) wants numbers, got \"") + beyond + "\"");
  CHECK(error_of("a=log(0,1,3)") == "sweep: a: log begins above 0, got 0");
  CHECK(error_of("a=choice(1,)") == "sweep: a: choice(...) has a value that is empty; \"\" is an empty text");
  CHECK(error_of("a=choice()") == "sweep: a: choice(...) has a value that is empty; \"\" is an empty text");
  CHECK(error_of("a=choice(b{c:1,d{})") ==
        "sweep: a: a bracket or quote of b{c:1,d{} is left open, or closes nothing");
  CHECK(error_of("a=choice(\"b,c)") ==
        "sweep: a: a bracket or quote of \"b,c is left open, or closes nothing");
  CHECK(error_of("a=chioce(1,2)") == "sweep: a: got chioce(1,2); did you mean choice(...)?");
  CHECK(error_of("a=log(1,2,1.5)") == "sweep: a: log wants a whole count of 2 to 100000, got 1.5");
  CHECK(error_of("a=log(1e-3,1e-1,1000000000)") ==
        "sweep: a: log wants a whole count of 2 to 100000, got 1000000000");
}

TEST_CASE("the grid holds every combination, the last axis fastest") {
  const auto all = grid({axis("a=choice(1,2)"), axis("b=7"), axis("c=choice(x,y,z)")});
  REQUIRE(all);
  CHECK(all->size() == 6);
  CHECK((*all)[0] == Words{"1", "7", "x"});
  CHECK((*all)[1] == Words{"1", "7", "y"});
  CHECK((*all)[5] == Words{"2", "7", "z"});
  CHECK(!grid({axis("a=log(1,2)")}));
  CHECK(!grid({axis("a=range(1,1000,1)"), axis("b=range(1,1000,1)")}));
}

TEST_CASE("random search draws distinct combinations, the same for a seed") {
  const std::vector<SweepAxis> axes = {axis("a=choice(1,2,3)"), axis("b=log(0.001,1)")};
  const auto some = random_search(axes, 20, 5);
  CHECK(some.size() == 20);
  CHECK(some == random_search(axes, 20, 5));
  CHECK(some != random_search(axes, 20, 6));
  CHECK(std::set<Words>(some.begin(), some.end()).size() == 20);
  for (const Words& values : some) {
    CHECK(std::stod(values[1]) >= 0.001);
    CHECK(std::stod(values[1]) <= 1);
  }
  CHECK(random_search({axis("a=choice(1,2,3)")}, 20, 1).size() == 3);
}

TEST_CASE("an interval of a field that takes whole numbers gives them, each as often") {
  SweepAxis whole = axis("a=range(0.5,8)");
  whole.is_whole = true;
  std::map<std::string, int> count;
  for (uint64_t seed = 0; seed < 800; ++seed) ++count[random_search({whole}, 1, seed)[0][0]];
  CHECK(count.size() == 8);
  for (int i = 1; i <= 8; ++i) CHECK(count[std::to_string(i)] > 50);  // 100, of deviation 9.4
  CHECK(random_search({whole}, 20, 1).size() == 8);
  SweepAxis powers = axis("a=log(1,1e7)");
  powers.is_whole = true;
  for (const Words& values : random_search({powers}, 50, 1))
    CHECK(values[0].find_first_not_of("0123456789") == std::string::npos);
  CHECK(whole_test(axis("a=range(1,8)"))->whole == "1");
  CHECK(whole_test(axis("a=range(1,8)"))->between == "1.5");
  CHECK(whole_test(axis("a=range(1,3)"))->between == "1.5");
  CHECK(whole_test(axis("a=range(1,9)"))->between == "1.5");
  CHECK(whole_test(axis("a=range(0.5,1)"))->between == "0.5");
  CHECK_FALSE(whole_test(axis("a=range(9007199254740992,9007199254740996)")));
  CHECK_FALSE(whole_test(axis("a=range(0.1,0.9)")));
  CHECK_FALSE(whole_test(axis("a=range(1,8,1)")));
  CHECK_FALSE(whole_test(axis("a=7")));
}

}  // namespace
}  // namespace plait::inline cli
