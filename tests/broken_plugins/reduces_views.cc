// Keeps views of the values, and reads them when all have been lent.
// Caught by: keys_borrow
// Words: a value is read where it was lent
#include <plait/sdk.hpp>

#include <vector>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const {
    if (in != Value::kI64) throw Error("values are ", name_of(in), ", wanted i64");
    return Value::kI64;
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    std::vector<std::string_view> all;
    while (const auto value = values.next()) all.push_back(*value);
    int64_t sum = 0;
    for (const std::string_view value : all) sum += value_as<int64_t>(value);
    out.emit(key, sum);
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reduces_views", "1.0.0", "Apache-2.0", reducer<Broken>("broken.reduces_views_reducer"));
