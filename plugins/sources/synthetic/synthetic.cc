// Records made from (seed, index) alone: no file, any shape. For benchmarks.
#include <plait/sdk.hpp>

#include <algorithm>
#include <bit>
#include <limits>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostElements = int64_t{1} << 28;  // of a record: 1 GiB of f32
constexpr uint32_t kWhole = 256;                     // signal is a number of 256ths

// Key of what belongs to a record, and of what belongs to its class: else class 0 would share numbers with
// record 0.
enum Purpose : uint64_t { kRecord = 0, kClass = 1 };

class Synthetic {
 public:
  std::string part = "image", type = "u8";
  std::vector<int64_t> shape;
  int64_t records = 10000, classes = 10, seed = 0, first = 0;
  double signal = 0.25;

  static void describe(Describe<Synthetic>& d) {
    d.doc("records made from (seed, index) alone, for benchmarks");
    d.details(
        "Parts: image (or as part says) u8 or f32 [shape]; label i32 [], index mod classes, unless classes "
        "is "
        "0.\n"
        "Element i of a record is (1 - signal) u + signal b: u is uniform in [0, 1), of seed, index and i, "
        "and b is 0\n"
        "or 1, of seed, class and i. u8 has it times 256. So signal 0 is noise, of which nothing can be "
        "learned, and\n"
        "signal 1 one picture a class. The same numbers on every machine: integers alone are used. Philox, "
        "as everywhere.");
    d.field("shape", &Synthetic::shape).doc("extents of the part").range(1, kMostChannels).required();
    d.field("records", &Synthetic::records).doc("how many there are").range(1, 0x1p48);
    d.field("first", &Synthetic::first).doc("record to begin with").range(0, 0x1p48);
    d.field("classes", &Synthetic::classes)
        .doc("labels are 0 .. classes - 1; 0: no label")
        .range(0, kMostChannels);
    d.field("signal", &Synthetic::signal)
        .doc("share of what the class decides, in steps of 1/256")
        .range(0, 1);
    d.field("type", &Synthetic::type).doc("of the elements").choices({"u8", "f32"});
    d.field("part", &Synthetic::part).doc("name of the part");
    d.field("seed", &Synthetic::seed).doc("of the numbers").range(0, 0x1p48);
  }
  static void examples(Examples& e) {
    e.add("shape: [5, 4, 3] records: 40");
    e.add("shape: [7] records: 9 first: 5 classes: 3 signal: 1 part: \"x\" type: f32 seed: 5");
    e.add("shape: [133] records: 20 classes: 0 signal: 0 type: f32");
  }

  void validate() const {
    if (part.empty() || part == "label") throw Error("part is \"", part, "\", wanted a name besides label");
    if (shape.empty() || shape.size() > PLAIT_MAX_RANK)
      throw Error("shape has ", shape.size(), " axes, wanted 1 to ", PLAIT_MAX_RANK);
    int64_t count = 1;
    for (const int64_t extent : shape) {
      if (extent > kMostElements / count)
        throw Error("shape ", std::span(shape), " has more than ", kMostElements, " elements");
      count *= extent;
    }
  }

  void open(Context&) { share_ = static_cast<uint32_t>(signal * kWhole + 0.5); }

  SourceInfo info() const {
    SourceInfo info;
    info.count = records;
    info.parts.add(part, type == "u8" ? DType::u8 : DType::f32, shape);
    if (classes > 0) info.parts.add("label", DType::i32, {});
    info.n_classes = static_cast<uint32_t>(classes);
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    index += first;
    const int64_t label = classes > 0 ? index % classes : 0;
    const Tensor to = call.output(part);
    if (to.dtype() == DType::u8) {
      fill(index, label, to.data<uint8_t>(), [](uint32_t value) { return static_cast<uint8_t>(value >> 8); });
    } else {
      fill(index, label, to.f32(), [](uint32_t value) { return static_cast<float>(value) * 0x1p-16f; });
    }
    if (classes > 0) call.output("label").data<int32_t>()[0] = static_cast<int32_t>(label);
  }

  // There is no file that the host could read for it.
  std::array<uint8_t, 32> digest(Context&) const {
    std::array<uint32_t, 8> words{};
    const auto add = [&words](uint64_t number) {
      for (size_t half = 0; half < 8; half += 4) {
        PhiloxBlock block{words[half], words[half + 1], words[half + 2], words[half + 3]};
        block = philox(block, {static_cast<uint32_t>(number),
                               static_cast<uint32_t>(number >> 32) ^ static_cast<uint32_t>(half << 24)});
        std::ranges::copy(block, words.begin() + static_cast<ptrdiff_t>(half));
      }
    };
    for (const int64_t number : {records, first, classes, seed, int64_t{share_}, int64_t{type == "u8"}})
      add(static_cast<uint64_t>(number));
    for (const int64_t extent : shape) add(static_cast<uint64_t>(extent));
    for (const char letter : part) add(static_cast<unsigned char>(letter));
    return std::bit_cast<std::array<uint8_t, 32>>(words);
  }

 private:
  Random numbers(Purpose purpose, int64_t of) const {
    return Random(static_cast<uint64_t>(seed) * 2 + purpose, static_cast<uint64_t>(of));
  }

  // A block of the record's numbers is 8 elements, of 16 bits each; one of the class's 128, of a bit each.
  template <class V, class Make>
  void fill(int64_t index, int64_t label, std::span<V> to, const Make& make) const {
    const Random own = numbers(kRecord, index), shared = numbers(kClass, label);
    PhiloxBlock bits{};
    for (size_t at = 0; at < to.size(); at += 8) {
      if (at % 128 == 0 && share_ > 0) bits = shared.block(at / 128);
      const PhiloxBlock words = own.block(at / 8);
      const uint32_t ours = bits[at % 128 / 32] >> (at % 32);
      const size_t count = std::min<size_t>(8, to.size() - at);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t noise = words[i / 2] >> (16 * (i % 2)) & 0xffff;
        const uint32_t picture = (ours >> i & 1) * 0xffff;
        to[at + i] = make((noise * (kWhole - share_) + picture * share_) / kWhole);
      }
    }
  }

  uint32_t share_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.synthetic", "1.0.0", "Apache-2.0", source<Synthetic>("plait.synthetic"));
