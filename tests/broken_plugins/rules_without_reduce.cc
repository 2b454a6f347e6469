// Says what it makes of values, and reduces deltas alone.
// Caught by: loads
// Words: rules for values of keys, but operations without reduce
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  int weight(const ShardResult&) const { return 1; }
};
struct OfKeys {
  static void describe(Describe<OfKeys>& d) { d.doc("broken on purpose"); }
  Value infer(Value in) const { return in; }
  void reduce(Context&, std::string_view, Values&, Emitter&) const {}
};

Entry with_rules() {
  Entry entry = reducer<Broken>("broken.rules_without_reduce_reducer");
  entry.type.rules = reducer<OfKeys>("broken.of_keys").type.rules;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.rules_without_reduce", "1.0.0", "Apache-2.0", with_rules());
