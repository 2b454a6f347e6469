// Reduces keys, and does not say what it makes of which values.
// Caught by: loads
// Words: operations with reduce, but no rules
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const { return in; }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    while (const auto value = values.next()) out.emit(key, *value);
  }
};

Entry without_rules() {
  Entry entry = reducer<Broken>("broken.reduces_without_rules_reducer");
  entry.type.rules = nullptr;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.reduces_without_rules", "1.0.0", "Apache-2.0", without_rules());
