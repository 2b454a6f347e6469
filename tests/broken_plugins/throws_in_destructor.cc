// Throws in its destructor.
// Caught by: create_leaks_nothing
// Words: crashes .SIGABRT.*create
#include <plait/sdk.hpp>
#include <stdexcept>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  bool made = false;
  ~Broken() noexcept(false) {
    if (made) throw std::runtime_error("no more paper");
  }
  void open(Context&) { made = true; }
  void step(Context&, const OptimizerCall&) const {}
};

}  // namespace

PLAIT_PLUGIN("broken.throws_in_destructor", "1.0.0", "Apache-2.0",
             optimizer<Broken>("broken.throws_in_destructor_optimizer"));
