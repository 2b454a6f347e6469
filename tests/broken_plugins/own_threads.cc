// Has a thread of its own beside the lanes.
// Caught by: own_threads
// Words: starts [0-9]+ threads of its own
#include <condition_variable>
#include <mutex>
#include <plait/sdk.hpp>
#include <thread>

namespace {
using namespace plait::sdk;

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    s.output_like(0);
  }
  struct Kernel {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::thread idle;

    Kernel(const Broken&, Context&, const LayerRequest&, LayerNeeds&) {
      idle = std::thread([this] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return done; });
      });
    }
    ~Kernel() {
      {
        const std::lock_guard lock(mutex);
        done = true;
      }
      changed.notify_all();
      idle.join();
    }
    void forward(Context&, const LayerCall& call) const {
      for (size_t i = 0; i < call.input().f32().size(); ++i) call.output().f32()[i] = call.input().f32()[i];
    }
    void backward(Context&, const LayerCall& call) const {
      if (!call.input_gradient()) return;
      for (size_t i = 0; i < call.output_gradient().f32().size(); ++i)
        call.input_gradient().f32()[i] = call.output_gradient().f32()[i];
    }
  };
};

}  // namespace

PLAIT_PLUGIN("broken.own_threads", "1.0.0", "Apache-2.0", layer<Broken>("broken.own_threads_layer"));
