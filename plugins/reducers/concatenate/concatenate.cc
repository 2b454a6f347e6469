// Keys: the values one after the other, in the order of the records.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <string>

using namespace plait::sdk;

namespace {

struct Concatenate {
  std::string separator = ",";

  static void describe(Describe<Concatenate>& d) {
    d.doc("keys: the values, which are bytes, joined in the order of the records");
    d.details(
        "Nothing is escaped: a separator within a value looks like one between values. Holds one key's "
        "values "
        "in memory.\n"
        "Fails with kInvalid where they are more than 2^30 bytes.");
    d.field("separator", &Concatenate::separator).doc("between each value and the next");
  }

  Value infer(Value in) const {
    if (in == Value::kBytes) return in;
    throw Error("values are ", name_of(in), ", wanted bytes");
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    std::string joined;
    bool is_first = true;
    while (const auto value = values.next()) {
      const std::string_view between = is_first ? std::string_view() : separator;
      is_first = false;
      if (joined.size() + between.size() + value->size() > PLAIT_MAX_VALUE)
        throw Error("the values of key ", excerpt(key), " are more than ", PLAIT_MAX_VALUE,
                    " bytes when joined");
      joined += between;
      joined += *value;
    }
    out.emit(key, joined);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.concatenate", "1.0.0", "Apache-2.0", reducer<Concatenate>("plait.concatenate"));
