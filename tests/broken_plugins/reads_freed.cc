// Caught by: shapes
// Words: AddressSanitizer: heap-use-after-free .*reads_freed.cc:19 in .*forward
// Sanitizer: address
// Reads memory of its own that it has given back.
#include <plait/sdk.hpp>

#include <vector>

using namespace plait::sdk;

namespace {

struct ReadsFreed {
  static void describe(Describe<ReadsFreed>& d) { d.doc("y = x"); }
  void forward(Context&, In x, Out y) const {
    std::vector<float> copy(x.begin(), x.end());
    const float* first = copy.data();
    std::vector<float>().swap(copy);
    for (size_t i = 0; i < x.size(); ++i) y[i] = first[i];
  }
  void backward(Context&, In, In dy, Out dx) const {
    for (size_t i = 0; i < dy.size(); ++i) dx[i] = dy[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.reads_freed", "1.0.0", "Apache-2.0", layer<ReadsFreed>("broken.reads_freed"));
