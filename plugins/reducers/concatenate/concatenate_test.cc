#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Bytes = std::vector<std::string>;

struct Test {
  TestHost host;
  Entry entry = linked("plait.concatenate");
  ReducerTest reducer;
  explicit Test(const std::string& separator = ",", Value kind = Value::kBytes)
      : reducer(host, entry, Settings(entry).set("separator", separator), kind) {
    CHECK(reducer.emits == Value::kBytes);
  }
};

TEST_CASE("joined in their order; empty values count") {
  CHECK(Test().reducer.reduce("key", {"b", "a", "c"}) == Bytes{"b,a,c"});
  CHECK(Test().reducer.reduce("key", {"", "", "a"}) == Bytes{",,a"});
  CHECK(Test().reducer.reduce("key", {"alone"}) == Bytes{"alone"});
  CHECK(Test("").reducer.reduce("key", {"b", "a"}) == Bytes{"ba"});
  CHECK(Test(" - ").reducer.reduce("key", {"b", "a"}) == Bytes{"b - a"});
}

TEST_CASE("numbers are refused") {
  CHECK_THROWS_WITH(Test(",", Value::kI64), "values are i64, wanted bytes");
  CHECK_THROWS_WITH(Test(",", Value::kSum), "values are sum of f64, wanted bytes");
}

// Of the second value there is only the size: it has to be refused before it is looked at.
TEST_CASE("more than a value may have names the key") {
  Test test;
  struct Long {
    int given = 0;
    static int next(const plait_values* values, plait_str* value) {
      const bool is_first = static_cast<Long*>(values->host_data)->given++ == 0;
      *value = {"a", is_first ? 1 : uint64_t{PLAIT_MAX_VALUE} - 1};
      return 1;
    }
  } two;
  const plait_values values{sizeof(plait_values), 0, &two, &Long::next};
  const PairsTaken out(Value::kBytes);
  const Made<plait_reducer_ops> made(test.host, test.entry);
  CHECK_THROWS_WITH(test.host.check(made.ops().reduce(made.self(), test.host.context(), PLAIT_VALUE_BYTES,
                                                      {"k", 1}, &values, out.c())),
                    "the values of key \"k\" are more than 1073741824 bytes when joined");
}

}  // namespace
