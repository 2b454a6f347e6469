// A sink: keys and numbers as lines of JSON, which many programs read one by one.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>
#include <plait/table_text.hpp>

#include <string>
#include <string_view>

using namespace plait::sdk;

namespace your_vendor {

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

struct YourName {
  static constexpr const char* endings[] = {".jsonl"};
  std::string key = "key", value = "value";

  static void describe(Describe<YourName>& d) {
    d.doc("keys and numbers as lines of JSON");
    d.details(
        "Pairs: {\"key\":\"to\",\"value\":3} a line. Fails for a key that is not UTF-8. Source: RFC 8259.");
    d.field("key", &YourName::key).doc("name of the member that holds the key");
    d.field("value", &YourName::value).doc("name of the member that holds the value");
  }
  void validate() const {
    if (key == value) throw Error("key and value are both named ", excerpt(key));
    for (const std::string& name : {key, value})
      if (valid_utf8(name) < name.size()) throw Error("the name ", excerpt(name), " is not UTF-8");
  }

  void check_pairs(Value kind) const {
    if (kind == Value::kBytes) throw Error("values are bytes, wanted numbers");
  }

  void write_pairs(Context&, Pairs& pairs, ByteWriter& out) const {
    const std::string begin = text("{", json_text(key), ":"), middle = text(",", json_text(value), ":");
    while (const auto pair = pairs.next()) {
      if (valid_utf8(pair->key) < pair->key.size())
        throw Error("the key ", excerpt(pair->key), " is not UTF-8 from byte ", valid_utf8(pair->key) + 1,
                    " on");
      std::string line = begin + json_text(pair->key) + middle;
      if (pairs.value() == Value::kI64)
        append_number(value_as<int64_t>(pair->value), line);
      else
        append_number(value_as<double>(pair->value), line);
      out.write(line += "}\n");
    }
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             sink<your_vendor::YourName>("your_vendor.your_name"));
