// Tests of the task: what is a word, and that an empty record and a record's end are no trouble.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  const std::vector<PartSpec> parts = {{"text", DType::u8, {16}, 0}};
  const std::string one = value_of(int64_t{1});
  TaskTest all(host, entry, Settings(entry), parts);
  all.map({{"To be, or"}, {""}, {"not TO be"}});
  const std::vector<Pair> wanted = {{"to", one},  {"be", one}, {"or", one},
                                    {"not", one}, {"to", one}, {"be", one}};
  CHECK(all.out.pairs == wanted);

  TaskTest longer(host, entry, Settings(entry).set("shortest", 3), parts);
  longer.map({{"To be or not"}});
  CHECK(longer.out.pairs == std::vector<Pair>({{"not", one}}));
  return 0;
}
