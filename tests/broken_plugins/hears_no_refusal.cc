// Goes on as if bytes had been taken that were not.
// Caught by: refused
// Words: goes on as if bytes had been taken
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr const char* endings[] = {".deaf"};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void write_arrays(Context&, const SinkArrays&, ByteWriter&) const {}
};

int write_all(const void*, plait_context*, uint32_t count, const plait_sink_array* const* arrays,
              const plait_byte_taker* out) noexcept {
  for (uint32_t i = 0; i < count; ++i) {
    const std::string_view bytes = SinkArray(arrays[i]).bytes();
    out->append(out, {bytes.data(), bytes.size()});
  }
  return PLAIT_OK;
}

// By the table alone: the SDK's writer hears refusals itself.
Entry deaf_sink() {
  Entry entry = sink<Broken>("broken.hears_no_refusal_sink");
  static plait_sink_ops ops = *static_cast<const plait_sink_ops*>(entry.implementation.ops);
  ops.write_arrays = &write_all;
  entry.implementation.ops = &ops;
  return entry;
}

}  // namespace

PLAIT_PLUGIN("broken.hears_no_refusal", "1.0.0", "Apache-2.0", deaf_sink());
