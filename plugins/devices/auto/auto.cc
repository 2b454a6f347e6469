// Stands for the device that the host chooses: see PLAIT_TYPE_FIRST_FOUND. No job runs on it.
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Auto {
  static void describe(Describe<Auto>& d) {
    d.doc("the first device that opens here, else the host's processor");
    d.details("Preferred devices are tried by their ids; what is taken is said on standard error.");
    d.first_found();
  }
  [[noreturn]] DeviceInfo open(Context&) { refuse(); }
  [[noreturn]] void* allocate(Context&, uint64_t) { refuse(); }
  void release(void*) {}
  [[noreturn]] void* stream_create(Context&) { refuse(); }
  void stream_destroy(void*) {}
  [[noreturn]] void copy_in(Context&, void*, const void*, uint64_t) { refuse(); }
  [[noreturn]] void copy_out(Context&, void*, const void*, uint64_t) { refuse(); }
  [[noreturn]] void copy(Context&, void*, const void*, uint64_t) { refuse(); }
  [[noreturn]] void fill_zero(Context&, void*, uint64_t) { refuse(); }
  [[noreturn]] void add_f32(Context&, float*, const float*, uint64_t) { refuse(); }
  [[noreturn]] void synchronize(Context&) { refuse(); }

 private:
  [[noreturn]] static void refuse() {
    throw Unsupported("stands for another device, which the host chooses: wanted a host that does");
  }
};

}  // namespace

PLAIT_PLUGIN("plait.auto", "1.0.0", "Apache-2.0", device<Auto>("plait.auto"));
