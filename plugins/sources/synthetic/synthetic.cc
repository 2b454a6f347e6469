// Records made from (seed, index) alone: no file, any shape. For benchmarks.
#include <plait/sdk.hpp>

#include <algorithm>
#include <array>
#include <bit>

using namespace plait::sdk;

namespace {

constexpr int64_t kMostElements = int64_t{1} << 28;  // of a record: 1 GiB of f32
constexpr uint32_t kWhole = 256;                     // signal is a number of 256ths

// Numbers are made a run at a time: 64 blocks of Philox beside one another. (g++ 12 takes a loop over 16
// apart before it could make vectors of it.)
constexpr size_t kBlocks = 64, kRun = 8 * kBlocks;  // 8 elements a block, 16 bits each
using Words = std::array<uint32_t, 4 * kBlocks>;
using Bits = std::array<uint32_t, kRun / 32>;  // of the class, one for each element

// Blocks `first` to first + 63 of the generator, one after another: philox of <plait/sdk/random.hpp>.
PLAIT_FAST void philox_run(plait_rng rng, uint64_t first, Words& to) {
  uint32_t a[kBlocks], b[kBlocks], c[kBlocks], d[kBlocks];
  for (size_t i = 0; i < kBlocks; ++i) {
    a[i] = static_cast<uint32_t>(first) + static_cast<uint32_t>(i);  // first is a multiple of 64
    b[i] = static_cast<uint32_t>(first >> 32);
    c[i] = static_cast<uint32_t>(rng.counter_high);
    d[i] = static_cast<uint32_t>(rng.counter_high >> 32);
  }
  auto low = static_cast<uint32_t>(rng.key), high = static_cast<uint32_t>(rng.key >> 32);
  for (int round = 0; round < 10; ++round, low += 0x9E3779B9u, high += 0xBB67AE85u) {
    for (size_t i = 0; i < kBlocks; ++i) {
      const uint64_t x = uint64_t{0xD2511F53u} * a[i], y = uint64_t{0xCD9E8D57u} * c[i];
      a[i] = static_cast<uint32_t>(y >> 32) ^ b[i] ^ low;
      b[i] = static_cast<uint32_t>(y);
      c[i] = static_cast<uint32_t>(x >> 32) ^ d[i] ^ high;
      d[i] = static_cast<uint32_t>(x);
    }
  }
  for (size_t i = 0; i < kBlocks; ++i)
    to[4 * i] = a[i], to[4 * i + 1] = b[i], to[4 * i + 2] = c[i], to[4 * i + 3] = d[i];
}

// Of each word the low half, then the high one.
PLAIT_FAST void mix(const Words& noise, const Bits& bits, uint32_t share, uint32_t* to) {
  for (size_t word = 0; word < bits.size(); ++word) {
    const uint32_t ours = bits[word];
    const uint32_t* const from = noise.data() + 16 * word;
    uint32_t* const into = to + 32 * word;
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t even = ours >> 2 * i & 1, odd = ours >> (2 * i + 1) & 1;
      into[2 * i] = ((from[i] & 0xffff) * (kWhole - share) + even * 0xffff * share) / kWhole;
      into[2 * i + 1] = ((from[i] >> 16) * (kWhole - share) + odd * 0xffff * share) / kWhole;
    }
  }
}

PLAIT_FAST void store(const uint32_t* from, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(from[i] >> 8);
}
PLAIT_FAST void store(const uint32_t* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<float>(static_cast<int32_t>(from[i])) * 0x1p-16f;
}

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
        "Parts: image (or as part says) u8 or f32 [shape]; label i32 [], index mod classes, or none of 0.\n"
        "Element i of a record is (1 - signal) u + signal b: u is uniform in [0, 1), of seed, index and i; "
        "b\n"
        "is 0 or 1, of seed, class and i. u8 has it times 256. So signal 0 is noise, of which nothing can "
        "be\n"
        "learned, and signal 1 one picture a class. Philox in whole numbers: the same on every machine.");
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
      fill(index, label, to.data<uint8_t>());
    } else {
      fill(index, label, to.f32());
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

  template <class V>
  void fill(int64_t index, int64_t label, std::span<V> to) const {
    const Random own = numbers(kRecord, index), shared = numbers(kClass, label);
    Words noise;
    Bits bits{};
    std::array<uint32_t, kRun> values;
    for (size_t at = 0; at < to.size(); at += kRun) {
      philox_run(own.c(), at / 8, noise);
      for (size_t word = 0; share_ > 0 && word < bits.size(); word += 4)
        std::ranges::copy(shared.block((at / 32 + word) / 4), &bits[word]);
      mix(noise, bits, share_, values.data());
      store(values.data(), std::min(kRun, to.size() - at), &to[at]);
    }
  }

  uint32_t share_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.synthetic", "1.0.0", "Apache-2.0", source<Synthetic>("plait.synthetic"));
