// Several threads write their words to one place.
// Caught by: concurrent
// Words: when several threads map by one instance at once
#include <plait/sdk.hpp>

#include <algorithm>
#include <string>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr Value emits = Value::kI64;
  mutable volatile char row[64];
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  void infer(const Parts& parts) const {
    if (parts.part("text").dtype != DType::u8) parts.fail("part \"text\" is not u8");
    if (parts.part("text").shape.size() != 1) parts.fail("part \"text\" is not [bytes]");
  }
  void map(Context&, const Records& records, Emitter& out) const {
    const Tensor text = records.part("text");
    for (size_t n = 0; n < records.size(); ++n) {
      const auto size = static_cast<size_t>(std::min<int64_t>(text.length(n), 64));
      for (size_t i = 0; i < size; ++i) row[i] = static_cast<char>(text.sample<uint8_t>(n)[i]);
      std::string word;
      for (size_t i = 0; i < size; ++i) word += row[i];
      out.emit(word, int64_t{1});
    }
  }
};

}  // namespace

PLAIT_PLUGIN("broken.maps_in_one_row", "1.0.0", "Apache-2.0", task<Broken>("broken.maps_in_one_row_task"));
