// Leaves a mark as soon as it is loaded: what a stranger's plugin could do.
#include <plait/sdk.hpp>

#include <cstdlib>
#include <fstream>

using namespace plait::sdk;

namespace {

struct Mark {
  Mark() {
    if (const char* path = std::getenv("LEAVES_A_MARK")) std::ofstream(path) << "was here\n";
  }
} mark;

struct Same {
  static void describe(Describe<Same>& d) { d.doc("its input"); }
  void forward(Context&, In x, Out y) const { std::copy_n(x.begin(), x.size(), y.begin()); }
  void backward(Context&, In, In dy, Out dx) const { std::copy_n(dy.begin(), dy.size(), dx.begin()); }
};

}  // namespace

PLAIT_PLUGIN("test.marking", "1.0.0", "Apache-2.0", layer<Same>("test.same"));
