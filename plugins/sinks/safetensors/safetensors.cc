// Arrays by name.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <bit>
#include <string>
#include <string_view>

using namespace plait::sdk;

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as the machine has them");

const char* type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::u8:
      return "U8";
    case DType::i32:
      return "I32";
    default:
      return "I64";
  }
}

// Source: RFC 8259, section 7.
std::string json_text(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20)
      json += std::string("\\u00") + kDigits[byte >> 4] + kDigits[byte & 15];
    else if (c == '"' || c == '\\')
      json += std::string("\\") + c;
    else
      json += c;
  }
  return json + "\"";
}

std::string head_of(const SinkArrays& arrays) {
  std::string text = R"({"__metadata__":{"format":"plait"})";
  uint64_t at = 0;
  for (size_t i = 0; i < arrays.size(); ++i) {
    std::string extents;
    for (const int64_t extent : arrays[i].shape())
      extents += (extents.empty() ? "" : ",") + std::to_string(extent);
    const uint64_t end = at + arrays[i].bytes().size();
    text += "," + json_text(arrays[i].name()) + R"(:{"dtype":")" + type_of(arrays[i].dtype()) +
            R"(","shape":[)" + extents + R"(],"data_offsets":[)" + std::to_string(at) + "," +
            std::to_string(end) + "]}";
    at = end;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begin at a multiple of 8
  std::string head;
  for (int i = 0; i < 8; ++i) head += static_cast<char>(text.size() >> 8 * i & 0xFF);
  return head + text;
}

struct Safetensors {
  static constexpr const char* endings[] = {".safetensors"};

  static void describe(Describe<Safetensors>& d) {
    d.doc("any number of arrays by name, as the safetensors libraries read them");
    d.details(
        "Shapes: any, of every type. Refused: names that are not UTF-8 or that the format keeps for itself "
        "(__metadata__), pairs.\n"
        "Source: https://github.com/huggingface/safetensors (format).");
  }

  void check_arrays(const SinkArrays& arrays) const {
    for (size_t i = 0; i < arrays.size(); ++i) {
      const std::string_view name = arrays[i].name();
      if (valid_utf8(name) < name.size())
        throw Error("the name ", excerpt(name), " of an array is not UTF-8 from byte ", valid_utf8(name) + 1,
                    " on");
      if (name == "__metadata__") throw Error("the format keeps the name __metadata__ for itself");
    }
  }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    out.write(head_of(arrays));
    for (size_t i = 0; i < arrays.size(); ++i) out.write(arrays[i].bytes());
  }
};

}  // namespace

PLAIT_PLUGIN("plait.safetensors_sink", "1.0.0", "Apache-2.0", sink<Safetensors>("plait.safetensors"));
