// Right: a task, a combiner and a reducer of keys, with examples; of the reducer also weights of shards.
// Caught by: nothing
// Words: 0 failed
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Letters {
  static constexpr Value emits = Value::kF64;
  static constexpr const char* combiner = "broken.right_partial";
  static constexpr const char* reducer = "broken.right_total";
  int64_t weight = 1;
  static void describe(Describe<Letters>& d) {
    d.doc("letters of a text");
    d.field("weight", &Letters::weight).doc("of a letter").range(1, 9);
  }
  static void examples(Examples& e) { e.add("weight: 3").input(DType::u8, {40}, "text", 0); }
  void infer(const Parts& parts) const {
    const PartSpec& text = parts.part("text");
    if (text.dtype != DType::u8 || text.shape.size() != 1) parts.fail("part \"text\" is not u8 [bytes]");
  }
  void map(Context& c, const Records& records, Emitter& out) const {
    const Tensor text = records.part("text");
    for (size_t n = 0; n < records.size() && !c.cancelled(); ++n)
      for (int64_t i = 0; i < text.length(n); ++i) {
        const char letter = static_cast<char>(text.sample<uint8_t>(n)[static_cast<size_t>(i)]);
        out.emit({&letter, 1}, 0.1 * static_cast<double>(weight));
      }
    if (c.cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
  }
};

struct Partial {
  static constexpr bool commutative = true;
  static void describe(Describe<Partial>& d) { d.doc("adds up"); }
  static void examples(Examples& e) { e.add(""); }
  Folded infer(Value in) const {
    if (in != Value::kF64) throw Error("values are ", name_of(in), ", wanted f64");
    return {Value::kSum, sizeof(plait_sum)};
  }
  void begin(std::string_view value, std::span<std::byte> partial) const {
    OrderFreeSum sum;
    sum.add(value_as<double>(value));
    write_partial(partial, sum.c());
  }
  void fold(std::span<std::byte> into, std::span<const std::byte> from) const {
    OrderFreeSum sum(partial_as<plait_sum>(into));
    sum.add(partial_as<plait_sum>(from));
    write_partial(into, sum.c());
  }
};

struct Total {
  static void describe(Describe<Total>& d) { d.doc("the sum, and the plain mean of shards"); }
  static void examples(Examples& e) { e.add(""); }
  int weight(const ShardResult&) const { return 1; }
  Value infer(Value in) const {
    if (in != Value::kF64 && in != Value::kSum) throw Error("values are ", name_of(in), ", wanted f64");
    return Value::kF64;
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    OrderFreeSum sum;
    while (const auto value = values.next())
      values.kind() == Value::kSum ? sum.add(value_as<plait_sum>(*value)) : sum.add(value_as<double>(*value));
    out.emit(key, sum.value());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.right_counts", "1.0.0", "Apache-2.0", task<Letters>("broken.right_letters"),
             combiner<Partial>("broken.right_partial"), reducer<Total>("broken.right_total"));
