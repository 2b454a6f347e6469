// Counts words: each word of each record, with a 1.
#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <string>
#include <vector>

#include "white_space.h"

using namespace plait::sdk;
using plait::count_words::each_word;

namespace {

// ASCII letters alone; all other bytes, those of UTF-8 among them, stay.
PLAIT_FAST void to_lower_case(const char* text, size_t size, char* to) {
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_upper = static_cast<unsigned char>(byte - 'A') < 26;
    to[i] = static_cast<char>(byte | (is_upper ? 0x20 : 0));
  }
}

// What one call of map needs again for each record.
struct Memory {
  std::string lowered;
  std::string joined;          // the record's words with one space between: its n-grams lie in it
  std::vector<size_t> begins;  // of the last n words in it
};

struct CountWords {
  static constexpr Value emits = Value::kI64;
  static constexpr const char* combiner = "plait.partial_sum";
  static constexpr const char* reducer = "plait.sum";

  bool lower_case = false;
  int64_t ngram = 1;
  std::string part = "text";

  static void describe(Describe<CountWords>& d) {
    d.doc("each word of each record, with a 1; summed up, the number of times that it occurs");
    d.details(
        "Records: a part u8 [bytes], such as a line of text. Words are what lies between white space: space, "
        "\\t, \\n, \\v, \\f, \\r.\n"
        "Punctuation belongs to the word that it touches. With ngram n: each n words that follow one another "
        "in "
        "a record, joined\n"
        "by one space; a record of fewer words gives none. Fails with kInvalid for a key of more than 65536 "
        "bytes.\n"
        "Words that are met seldom: `reducer { sum { least: 2 } }` beside the task leaves them out.");
    d.field("lower_case", &CountWords::lower_case)
        .doc("A to Z count as a to z; other letters stay as they are");
    d.field("ngram", &CountWords::ngram).doc("words in a key").range(1, 64).unit("words");
    d.field("part", &CountWords::part).doc("part of the records that holds the text");
  }

  static void examples(Examples& e) {
    e.add().input(DType::u8, {40}, "text", 0);
    e.add("lower_case: true ngram: 3").input(DType::u8, {200}, "text", 0);
  }

  void infer(const Parts& parts) const {
    const PartSpec& text = parts.part(part);
    if (text.dtype != DType::u8 || text.shape.size() != 1) {
      throw Error("part \"", part, "\" is ", name_of(text.dtype), std::span<const int64_t>(text.shape),
                  ", wanted text: u8[bytes]");
    }
  }

  void map(Context& c, const Records& records, Emitter& out) const {
    const Tensor texts = records.part(part);
    const auto* bytes = static_cast<const char*>(texts.raw());
    const auto stride = static_cast<size_t>(texts.shape(1));
    Memory memory;
    for (size_t i = 0; i < records.size(); ++i) {
      if (i % 1024 == 1023) c.stop_if_cancelled();
      const std::string_view text(bytes + i * stride, static_cast<size_t>(texts.length(i)));
      const auto emit = [&](std::string_view key) {
        if (key.size() > PLAIT_MAX_KEY) refuse(records.first() + static_cast<int64_t>(i), key);
        out.emit(key, int64_t{1});
      };
      if (ngram == 1)
        each_word(folded(text, memory), emit);
      else
        each_ngram(folded(text, memory), memory, emit);
    }
  }

 private:
  std::string_view folded(std::string_view text, Memory& memory) const {
    if (!lower_case) return text;
    memory.lowered.resize(text.size());
    to_lower_case(text.data(), text.size(), memory.lowered.data());
    return memory.lowered;
  }

  template <class Emit>
  void each_ngram(std::string_view text, Memory& memory, const Emit& emit) const {
    const auto n = static_cast<size_t>(ngram);
    memory.joined.clear();
    memory.begins.resize(n);
    size_t words = 0, place = 0;  // place: in begins, of the next word
    each_word(text, [&](std::string_view word) {
      if (words > 0) memory.joined += ' ';
      memory.begins[place] = memory.joined.size();
      memory.joined += word;
      place = place + 1 < n ? place + 1 : 0;
      // Where the next word will be put is now the first of the last n.
      if (++words >= n) emit(std::string_view(memory.joined).substr(memory.begins[place]));
    });
  }

  [[noreturn]] void refuse(int64_t record, std::string_view key) const {
    throw Error("record ", record, " has ", ngram == 1 ? "a word" : "words", " of ", key.size(), " bytes, ",
                excerpt(key), ", wanted at most ", PLAIT_MAX_KEY);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.count_words", "1.0.0", "Apache-2.0", task<CountWords>("plait.count_words"));
