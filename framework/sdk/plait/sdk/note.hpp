// The library's note (<plait/note.h>), made of the words between the parentheses of PLAIT_PLUGIN.
//
// An entry is a function of the SDK and its literals: layer<Swish>("acme.swish") gives "layer acme.swish". An
// entry that says less (an id in a variable, a function of the author's) gives "more": the note is then short
// of it, but not wrong.
#pragma once
#include <plait/kinds.h>
#include <plait/note.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace plait::sdk::detail {

// Text that is written twice: once without room, to learn its size, then into an array of it. Whether there
// is an array is not asked of the pointer: with -fsanitize=undefined that is no constant to g++.
class NoteText {
 public:
  constexpr NoteText(char* into, size_t room) : into_(into), room_(room) {}
  constexpr void add(std::string_view words) {
    for (const char c : words) {
      if (size_ < room_) into_[size_] = c;
      ++size_;
    }
  }
  constexpr size_t size() const { return size_; }

 private:
  char* into_;
  size_t room_, size_ = 0;
};

constexpr bool is_entry_word(std::string_view word) {
#define PLAIT_SDK_WORD(kind, Name, ops) #kind,
  constexpr std::string_view kWords[] = {PLAIT_KINDS(PLAIT_SDK_WORD) "implementation"};
#undef PLAIT_SDK_WORD
  for (const std::string_view known : kWords)
    if (word == known) return true;
  return false;
}

// The text says of what kind an implementation is as little as its struct's name; the entry's type does.
// Both of one order: entry number i of the text is of type number i.
template <class E>
constexpr std::string_view implemented_kind() {
  if constexpr (requires { typename E::Implements; })
    return E::Implements::kKind;
  else
    return {};
}
template <class... E>
struct EntryTypes {
  static constexpr size_t kCount = sizeof...(E);
  static constexpr std::array<std::string_view, kCount> kKinds{implemented_kind<E>()...};
};
template <class... E>
EntryTypes<E...> entry_types(const E&...);  // has no body: only its result's type is asked for

// Reads the source text of the entries from left to right.
class NoteReader {
 public:
  explicit constexpr NoteReader(std::string_view text) : text_(text) {}
  constexpr bool at_end() { return skip_blanks(), at_ >= text_.size(); }

  // One entry, with the comma after it. `implements`: the kind of one that only implements, or "".
  constexpr void entry(NoteText& out, std::string_view implements, bool& is_complete) {
    const std::string_view word = head();
    if (word == "numerics") return skip_to_comma();  // serves nothing
    bool is_known = is_entry_word(word) && take('(');
    const std::string_view id = literal(is_known);
    std::string_view device;
    if (word == "implementation") {
      is_known = is_known && take(',') && !implements.empty();
      device = literal(is_known);
    }
    is_known = is_known && take(')') && (at_end() || peek() == ',');
    skip_to_comma();
    if (!is_known) return void(is_complete = false);
    out.add(word), out.add(" ");
    if (!device.empty()) out.add(implements), out.add(" ");
    out.add(id);
    if (!device.empty()) out.add(" "), out.add(device);
    out.add("\n");
  }

  // The literal that is here alone, without its quotes; `is_good` turns false when there is none.
  constexpr std::string_view literal(bool& is_good) {
    is_good = is_good && take('"');
    const size_t begin = at_;
    while (is_good && at_ < text_.size() && text_[at_] != '"')
      is_good = text_[at_++] > ' ' && text_[begin] != '\\';
    const std::string_view found = text_.substr(begin, at_ - begin);
    is_good = is_good && take('"') && !found.empty() && (at_end() || peek() != '"');
    return found;
  }

 private:
  constexpr char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  constexpr void skip_blanks() {
    while (at_ < text_.size() && text_[at_] <= ' ') ++at_;
  }
  constexpr bool take(char c) {
    skip_blanks();
    if (peek() != c) return false;
    return ++at_, true;
  }

  // "plait::sdk::layer<Swish>" is "layer". Stops before the parenthesis.
  constexpr std::string_view head() {
    skip_blanks();
    size_t begin = at_, end = text_.size();
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (depth == 0 && (c == '(' || c == ',' || c == '<') && end == text_.size()) end = at_;
      if (depth == 0 && (c == '(' || c == ',')) break;
      if (depth == 0 && c == ':') begin = at_ + 1;
      depth += c == '<' ? 1 : c == '>' ? -1 : 0;
    }
    return text_.substr(begin, end - begin);
  }

  // Past the comma that ends the entry, also from within it.
  constexpr void skip_to_comma() {
    int depth = 0;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"' && (at_ == 0 || text_[at_ - 1] != '\\')) quoted = !quoted;
      if (quoted) continue;
      if (c == '(' || c == '{' || c == '[') ++depth;
      if (c == ')' || c == '}' || c == ']') --depth;
      if (c == ',' && depth <= 0) return void(++at_);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

// What PLAIT_PLUGIN was given, as written.
struct NoteWords {
  std::string_view id, version, entries;
  std::span<const std::string_view> kinds{};  // of entries that only implement, by place; "" of the others
};

constexpr size_t write_note(const NoteWords& words, char* into = nullptr, size_t room = 0) {
  NoteText out(into, room);
  out.add(PLAIT_NOTE_ABI(0));
  bool is_named = true, is_complete = true;
  NoteReader id(words.id), version(words.version), entries(words.entries);
  const std::string_view id_text = id.literal(is_named), version_text = version.literal(is_named);
  if (is_named) out.add("plugin "), out.add(id_text), out.add(" "), out.add(version_text), out.add("\n");
  for (size_t i = 0; !entries.at_end(); ++i)
    entries.entry(out, i < words.kinds.size() ? words.kinds[i] : std::string_view(), is_complete);
  if (!is_complete) out.add("more\n");
  return out.size() + 1;  // and a zero
}

template <size_t kTextBytes>
struct Note {
  uint32_t owner_size = 6, text_size = kTextBytes, type = 1;
  char owner[8] = {'P', 'l', 'a', 'i', 't'};
  char text[kTextBytes] = {};

  explicit constexpr Note(const NoteWords& words) { write_note(words, text, kTextBytes); }
};

}  // namespace plait::sdk::detail

// The arguments are PLAIT_PLUGIN's, whose macros are replaced before they become text.
#define PLAIT_SDK_NOTE(id, version, ...)                                                      \
  namespace {                                                                                 \
  using plait_plugin_entries = decltype(::plait::sdk::detail::entry_types(__VA_ARGS__));      \
  constexpr ::plait::sdk::detail::NoteWords plait_plugin_words{#id, #version, #__VA_ARGS__,   \
                                                               plait_plugin_entries::kKinds}; \
  [[maybe_unused]] PLAIT_NOTE_PLACE constexpr ::plait::sdk::detail::Note<                     \
      ::plait::sdk::detail::write_note(plait_plugin_words)>                                   \
      plait_plugin_note(plait_plugin_words);                                                  \
  }
