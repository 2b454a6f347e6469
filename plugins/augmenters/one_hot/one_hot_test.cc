#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

TEST_CASE("the class has 1 and all others 0") {
  TestHost host;
  const Entry entry = linked("plait.one_hot");
  AugmenterTest test(host, entry, Settings(entry).set("classes", 3), {{"label", DType::i64, {1}}});
  for (int64_t label = 0; label < 3; ++label) {
    test.sample.inputs[0].data<int64_t>()[0] = label;
    test.apply();
    for (int64_t k = 0; k < 3; ++k)
      CHECK(test.sample.outputs[0].f32()[static_cast<size_t>(k)] == (k == label ? 1 : 0));
  }
  test.sample.inputs[0].data<int64_t>()[0] = 3;
  CHECK_THROWS_WITH(test.apply(), "part \"label\" is class 3, wanted 0 .. 2");
}

TEST_CASE("what is no label is refused") {
  TestHost host;
  const Entry entry = linked("plait.one_hot");
  CHECK_THROWS_WITH(
      AugmenterTest(host, entry, Settings(entry).set("classes", 3), {{"label", DType::f32, {2}}}),
      "part \"label\" is f32[2], wanted one class number, u8, i32 or i64, or shares f32[3]");
}

}  // namespace
