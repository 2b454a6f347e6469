// A text as how often each word of a vocabulary is in it, by the pairs of a stage that has counted words.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

using namespace plait::sdk;

namespace {

// Finds a text without copying it.
struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

constexpr std::string_view kWhite = " \t\n\v\f\r";

struct BagOfWords {
  std::string part = "text";
  StageOutput from;
  int64_t size = 0;
  bool lower_case = false;

  static void describe(Describe<BagOfWords>& d) {
    d.doc("how often each word of a vocabulary is in a text");
    d.details(
        "Shapes: the part's u8 [bytes] becomes f32 [size]: element i is the number of times that word i "
        "occurs. Words "
        "are the\n"
        "keys with the largest numbers of the stage that `from` names, the largest first, equal ones in the "
        "order of "
        "their bytes;\n"
        "what is no such word is not counted, and elements beyond the vocabulary are 0. Words are what lies "
        "between "
        "white space,\n"
        "as count_words sees them; give lower_case as there.");
    d.field("part", &BagOfWords::part).doc("part of the sample that holds the text");
    d.field("from", &BagOfWords::from).doc("stage that makes pairs of a word and a number").required();
    d.field("size", &BagOfWords::size)
        .doc("words of the vocabulary")
        .unit("words")
        .required()
        .range(1, 1 << 20);
    d.field("lower_case", &BagOfWords::lower_case)
        .doc("A to Z count as a to z; other letters stay as they are");
  }
  static void examples(Examples& e) {
    e.add("from: \"words\" size: 3")
        .input(DType::u8, {40}, "text", 0)
        .pairs("words", {{"a", 2}, {"b", 5}, {"c", 2}, {"d", 1}});
    e.add("from: \"words\" size: 9 lower_case: true")
        .input(DType::u8, {12}, "text", 0)
        .pairs("words", {{"x", 1}});
  }

  void infer(Parts& parts) const {
    PartSpec& text = parts.part(part);
    if (text.dtype != DType::u8 || text.shape.size() != 1)
      throw Error("part \"", part, "\" is ", name_of(text.dtype), std::span<const int64_t>(text.shape),
                  ", wanted text: u8[bytes]");
    PairTable::check(from);
    text.dtype = DType::f32;
    text.shape = {size};
    text.variable_axis = -1;
  }

  void open(Context&, const Parts&) {
    const PairTable words(from);
    if (words.size() == 0) throw Error("stage \"", from.name(), "\" made no words, wanted one at least");
    std::vector<size_t> order(words.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (const size_t i : order)
      if (std::isnan(words.number(i)))
        throw Error("stage \"", from.name(), "\" gives \"", words.key(i),
                    "\" no number, so that it has no place");
    // Keys come in the order of their bytes.
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return words.number(a) > words.number(b); });
    order.resize(std::min(order.size(), static_cast<size_t>(size)));
    for (size_t place = 0; place < order.size(); ++place) places_.emplace(words.key(order[place]), place);
  }

  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part(part);
    const auto counts = out.f32();
    std::fill(counts.begin(), counts.end(), 0.0f);
    const std::string_view text(static_cast<const char*>(in.raw()), static_cast<size_t>(in.length(0)));
    std::string lowered;
    for (size_t begin = 0; (begin = text.find_first_not_of(kWhite, begin)) != std::string_view::npos;) {
      const size_t end = std::min(text.find_first_of(kWhite, begin), text.size());
      const auto found = places_.find(folded(text.substr(begin, end - begin), lowered));
      if (found != places_.end()) counts[found->second] += 1;
      begin = end;
    }
  }

 private:
  std::string_view folded(std::string_view word, std::string& memory) const {
    if (!lower_case) return word;
    memory = word;
    for (char& c : memory)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return memory;
  }

  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> places_;
};

}  // namespace

PLAIT_PLUGIN("plait.bag_of_words", "1.0.0", "Apache-2.0", augmenter<BagOfWords>("plait.bag_of_words"));
