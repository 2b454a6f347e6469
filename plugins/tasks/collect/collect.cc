// The records themselves, a row each: to write them, or what a network makes of them, into a file.
#include <plait/sdk.hpp>

#include <algorithm>
#include <string>

using namespace plait::sdk;

namespace {

struct Collect {
  std::vector<std::string> parts;

  static void describe(Describe<Collect>& d) {
    d.doc("keeps the parts of records as rows of arrays");
    d.details(
        "Records: any parts of fixed extents.\n"
        "Output: an array of each part's name and type, [records, ...], in the order of the records; bad "
        "ones are left "
        "out.");
    d.field("parts", &Collect::parts).doc("those that are kept; none: all");
  }

  static void examples(Examples& e) {
    e.add("").input(DType::f32, {3, 2}, "image").input(DType::i32, {}, "label").integers_below(10);
    e.add("parts: \"b\"")
        .input(DType::u8, {4}, "a")
        .integers_below(256)
        .input(DType::i64, {2}, "b")
        .integers_below(9);
  }

  void infer(const Parts& given, Accumulators& a) const {
    for (const std::string& name : parts) (void)given.part(name);
    for (const PartSpec& part : given) {
      if (!is_kept(part.name)) continue;
      if (part.variable_axis >= 0)
        throw Error("axis ", part.variable_axis, " of part \"", part.name,
                    "\" differs from record to record, wanted fixed extents");
      a.rows(part.name, part.dtype, part.shape);
    }
  }

  void map(Context&, const Records& records, Accumulated& out) const {
    for (size_t i = 0; i < records.n_parts(); ++i) {
      const Tensor part = records.part(i);
      if (!is_kept(part.name())) continue;
      switch (part.dtype()) {
        case DType::f32:
          append<float>(part, out);
          break;
        case DType::f64:
          append<double>(part, out);
          break;
        case DType::u8:
          append<uint8_t>(part, out);
          break;
        case DType::i32:
          append<int32_t>(part, out);
          break;
        case DType::i64:
          append<int64_t>(part, out);
          break;
        default:
          append<uint16_t>(part, out);  // halves, as they lie
      }
    }
  }

 private:
  bool is_kept(std::string_view name) const {
    return parts.empty() || std::find(parts.begin(), parts.end(), name) != parts.end();
  }
  template <class V>
  static void append(const Tensor& part, Accumulated& out) {
    const std::span<V> values = part.data<V>();
    out.append<V>(part.name(), std::span<const V>(values.data(), values.size()));
  }
};

}  // namespace

PLAIT_PLUGIN("plait.collect", "1.0.0", "Apache-2.0", task<Collect>("plait.collect"));
