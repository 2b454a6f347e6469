// A task: each word of a text with a 1, so that their sums say how often it is there.
// Source: Dean, Ghemawat 2004, "MapReduce: simplified data processing on large clusters", section 2.1.
#include <plait/sdk.hpp>

#include <string>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  static constexpr Value emits = Value::kI64;
  int64_t shortest = 1;

  static void describe(Describe<YourName>& d) {
    d.doc("each word of part \"text\", with a 1");
    d.details("Words are letters a to z, in the key small ones; all other bytes lie between words.");
    d.field("shortest", &YourName::shortest).doc("shorter words are left out").range(1, 4096).unit("letters");
  }

  void infer(const Parts& parts) const {
    const PartSpec& text = parts.part("text");
    if (text.dtype != DType::u8 || text.shape.size() != 1) parts.fail("part \"text\" is not u8 [bytes]");
  }

  void map(Context&, const Records& records, Emitter& out) const {
    const Tensor text = records.part("text");
    std::string word;
    for (size_t n = 0; n < records.size(); ++n) {
      const auto bytes = text.sample<uint8_t>(n).first(static_cast<size_t>(text.length(n)));
      for (size_t i = 0; i <= bytes.size(); ++i) {
        const char small = i < bytes.size() ? static_cast<char>(bytes[i] | 0x20) : ' ';
        if (small >= 'a' && small <= 'z') {
          word += small;
          continue;
        }
        if (!word.empty() && word.size() >= static_cast<size_t>(shortest)) out.emit(word, int64_t{1});
        word.clear();
      }
    }
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             task<your_vendor::YourName>("your_vendor.your_name"));
