// Tests of the sink: numbers and keys by hand, what is refused, and a disk that is full.
#include <plait/sdk/testing_plugin.hpp>
#include <plait/sdk/testing_sink.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

// Whether the sink fails with these pairs.
bool fails(SinkTest& sink, Value kind, const std::vector<Pair>& pairs) {
  try {
    sink.pairs(kind, pairs);
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  SinkTest sink(host, entry, Settings(entry).set("value", "count"));
  CHECK(sink.endings() == std::vector<std::string>{".jsonl"});
  CHECK(sink.pairs(Value::kI64, {{"be", value_of(int64_t{2})}, {"to\n\"", value_of(int64_t{-3})}}) ==
        "{\"key\":\"be\",\"count\":2}\n{\"key\":\"to\\u000a\\\"\",\"count\":-3}\n");
  CHECK(sink.pairs(Value::kF64, {{"be", value_of(0.1)}}) == "{\"key\":\"be\",\"count\":0.1}\n");
  CHECK(sink.pairs(Value::kI64, {}).empty());

  CHECK(fails(sink, Value::kBytes, {{"be", "x"}}));
  CHECK(fails(sink, Value::kI64, {{"\xFF", value_of(int64_t{1})}}));
  sink.room_bytes = 10;
  CHECK(fails(sink, Value::kI64, {{"be", value_of(int64_t{2})}}));
  return 0;
}
