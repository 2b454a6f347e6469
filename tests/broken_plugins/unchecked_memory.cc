// Uses memory in create without looking whether it got any.
// Caught by: create_refused_allocation
// Words: crashes .SIGSEGV.*allocation
#include <cstdlib>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void forward(Context&, In x, Out y) const {
    for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
  }
  void backward(Context&, In x, In dy, Out dx) const {
    static_cast<void>(x);
    for (size_t i = 0; i < x.size(); ++i) dx[i] = 2 * dy[i];
  }
};

Entry changed() {
  static plait_layer_ops ops =
      *static_cast<const plait_layer_ops*>(layer<Broken>("broken.unchecked_memory_layer").implementation.ops);
  ops.create = [](plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs,
                  void** self) -> int {
    auto* table = static_cast<volatile float*>(std::malloc(4096));
    table[0] = 1;
    std::free(const_cast<float*>(table));
    return static_cast<const plait_layer_ops*>(
               layer<Broken>("broken.unchecked_memory_layer").implementation.ops)
        ->create(context, request, needs, self);
  };
  Entry entry = layer<Broken>("broken.unchecked_memory_layer");
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.unchecked_memory", "1.0.0", "Apache-2.0", changed());
