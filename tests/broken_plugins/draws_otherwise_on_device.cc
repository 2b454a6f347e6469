// An augmenter that draws the numbers of the first sample for all of a batch on a device.
// Caught by: same_samples
// Words: sample [1-9]\d*: element \d+ of output "image" is .* on the device
#include <cstdlib>
#include <cstring>
#include <new>
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Own {
  char stream = 0;

  static void describe(Describe<Own>& d) { d.doc("broken on purpose"); }
  DeviceInfo open(Context&) { return {.name = "broken"}; }
  void* allocate(Context&, uint64_t bytes) {
    if (bytes > uint64_t{1} << 40) throw std::bad_alloc();
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* memory) { std::free(memory); }
  void* stream_create(Context&) { return &stream; }
  void stream_destroy(void*) {}
  void copy_in(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy_out(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void copy(Context&, void* to, const void* from, uint64_t bytes) { std::memmove(to, from, bytes); }
  void fill_zero(Context&, void* memory, uint64_t bytes) { std::memset(memory, 0, bytes); }
  void add_f32(Context&, float* to, const float* from, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) to[i] += from[i];
  }
  void synchronize(Context&) {}
};

// A picture is turned into its negative, or not.
struct There {
  static void describe(Describe<There>& d) { d.doc("broken on purpose"); }
  void apply_samples(Context&, SamplesCall& call) const {
    const auto [in, out] = call.part("image");
    const bool turn = Random(call.rngs()[0]).chance(0.5);
    for (size_t i = 0; i < in.size(); ++i) {
      if (in.dtype() == DType::u8)
        out.data<uint8_t>()[i] =
            static_cast<uint8_t>(turn ? 255 - in.data<uint8_t>()[i] : in.data<uint8_t>()[i]);
      else
        out.f32()[i] = turn ? 1 - in.f32()[i] : in.f32()[i];
    }
  }
};

struct Broken {
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  static void examples(Examples& e) { e.add().input(DType::f32, {4, 4, 1}, "image"); }
  void infer(Parts& parts) const { static_cast<void>(parts.part("image")); }
  void apply(Context&, SampleCall& call) const {
    const bool turn = call.random().chance(0.5);
    const auto [in, out] = call.part("image");
    for (size_t i = 0; i < in.size(); ++i) out.f32()[i] = turn ? 1 - in.f32()[i] : in.f32()[i];
  }
};

}  // namespace

PLAIT_PLUGIN("broken.draws_otherwise_on_device", "1.0.0", "Apache-2.0",
             device<Own>("broken.draws_otherwise_on_device"),
             augmenter<Broken>("broken.draws_otherwise_on_device_augmenter"),
             implementation<There>("broken.draws_otherwise_on_device_augmenter",
                                   "broken.draws_otherwise_on_device"));
