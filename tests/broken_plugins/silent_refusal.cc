// Refuses configurations without saying why.
// Caught by: any_configuration
// Words: without saying why
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  int64_t size = 1;
  static void describe(Describe<Broken>& d) {
    d.doc("broken on purpose");
    d.field("size", &Broken::size).doc("a number").range(1, 5);
  }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i];
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i];
  }
};

int refuse(plait_context*, const plait_config*) { return PLAIT_FAILED; }

Entry silent() {
  Entry entry = layer<Broken>("broken.silent_refusal_layer");
  entry.type.validate = &refuse;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.silent_refusal", "1.0.0", "Apache-2.0", silent());
