// Counts how many records each class has.
#include <plait/sdk.hpp>

#include <string>

using namespace plait::sdk;

namespace {

struct ClassCounts {
  std::string part = "label";
  int64_t classes = 10;

  static void describe(Describe<ClassCounts>& d) {
    d.doc("how many records each class has");
    d.details(
        "Records: a part i32 or i64 of one element, the number of the record's class.\n"
        "Output: count i64 [classes], in the order of the classes.\n"
        "Fails with kInvalid for a number outside 0 .. classes - 1, naming the record.");
    d.field("part", &ClassCounts::part).doc("part of the records that holds the class");
    d.field("classes", &ClassCounts::classes).doc("how many classes there are").range(1, 1e6).required();
  }

  static void examples(Examples& e) {
    e.add("classes: 10").input(DType::i32, {}, "label").integers_below(10);
    e.add("classes: 2 part: \"y\"").input(DType::i64, {1}, "y");
  }

  void infer(const Parts& parts, Accumulators& a) const {
    const PartSpec& label = parts.part(part);
    const bool is_integer = label.dtype == DType::i32 || label.dtype == DType::i64;
    bool is_one = label.variable_axis < 0;
    for (const int64_t extent : label.shape) is_one = is_one && extent == 1;
    if (!is_integer || !is_one)
      throw Error("part \"", part, "\" is ", name_of(label.dtype), std::span<const int64_t>(label.shape),
                  ", wanted one number i32 or i64");
    a.count("count", {classes});
  }

  void map(Context&, const Records& records, Accumulated& out) const {
    const Tensor labels = records.part(part);
    const auto count = out.data<int64_t>("count");
    if (labels.dtype() == DType::i32)
      add_up(labels.data<int32_t>(), records.first(), count);
    else
      add_up(labels.data<int64_t>(), records.first(), count);
  }

 private:
  template <class V>
  void add_up(std::span<V> labels, int64_t first, std::span<int64_t> count) const {
    for (size_t i = 0; i < labels.size(); ++i) {
      const int64_t label = labels[i];
      if (label < 0 || label >= classes)
        throw Error("record ", first + static_cast<int64_t>(i), " has class ", label, ", wanted 0 to ",
                    classes - 1);
      ++count[static_cast<size_t>(label)];
    }
  }
};

}  // namespace

PLAIT_PLUGIN("plait.class_counts", "1.0.0", "Apache-2.0", task<ClassCounts>("plait.class_counts"));
