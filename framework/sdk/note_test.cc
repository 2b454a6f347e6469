// The note that PLAIT_PLUGIN makes of the words it is given.
#include <doctest/doctest.h>

#include <plait/sdk/note.hpp>
#include <string>

namespace plait::sdk::detail {
namespace {

// Without the first line, which says the version.
std::string note(const char* id, const char* version, const char* entries,
                 std::span<const std::string_view> kinds = {}) {
  const NoteWords words{id, version, entries, kinds};
  std::string text(write_note(words), 'x');
  write_note(words, text.data(), text.size());
  text.pop_back();  // the zero
  return text.substr(text.find('\n') + 1);
}

std::string entries(const char* text) {
  const std::string all = note("\"a.b\"", "\"1\"", text);
  return all.substr(all.find('\n') + 1);
}

}  // namespace

TEST_CASE("id, version and entries") {
  CHECK(note("\"acme.p\"", "\"1.0\"", R"(layer<Swish>("acme.swish"))") ==
        "plugin acme.p 1.0\nlayer acme.swish\n");
  CHECK(entries(R"(layer<A>("a.x"), loss<B>( "a.y" ) ,plait::sdk::metric<ns::C<int, 2>>("a.z"))") ==
        "layer a.x\nloss a.y\nmetric a.z\n");
  CHECK(entries("").empty());
  CHECK(entries(R"(numerics(&facts), layer<A>("a.x"), numerics([] { return f(1, 2); }))") == "layer a.x\n");
}

TEST_CASE("of what kind an implementation is the entry's type says, of the same place") {
  constexpr std::string_view kKinds[] = {"", "loss"};
  const char* const both = R"(layer<A>("a.x"), implementation<B>("a.y", "a.gpu"))";
  CHECK(note("kId", "kVersion", both, kKinds) == "layer a.x\nimplementation loss a.y a.gpu\n");
  CHECK(note("kId", "kVersion", both) == "layer a.x\nmore\n");
}

TEST_CASE("what is not written literally is left out, and said to be") {
  for (const char* text :
       {"device<D>(kId)", R"(implementation<A>("a.x", kId))", R"(mine("a.x"))", "entry",
        R"(layer<A>("a" ".x"))", R"(layer<A>("a.x" + suffix))", R"(layer<A>("a.x").with(1))",
        R"(layer<A>(""))", R"(layer<A>("a x"))", R"(layer<A>(")", R"(layer<A>)"})
    CHECK_MESSAGE(entries(text) == "more\n", text);
  CHECK(entries(R"(f(1, "),("), layer<A>("a.x"))") == "layer a.x\nmore\n");
  CHECK(note("kId", "\"1.0\"", R"(layer<A>("a.x"))") == "layer a.x\n");
}

TEST_CASE("in the file it is a note of its owner") {
  static constexpr NoteWords words{"\"a.b\"", "\"1\"", R"(layer<A>("a.x"))"};
  constexpr Note<write_note(words)> made(words);
  static_assert(made.owner_size == 6 && made.type == 1 && made.text_size == sizeof made.text);
  CHECK(std::string(made.owner) == "Plait");
  CHECK(std::string(made.text).starts_with("abi 1."));
}

}  // namespace plait::sdk::detail
