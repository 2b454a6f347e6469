// Words of a pipeline file. Text format's own words, plus $name and ${expression}.
#pragma once
#include <string>
#include <vector>

#include "pipeline/errors.h"

namespace plait::inline pipeline {

struct Token {
  enum class Kind { kName, kNumber, kString, kSymbol, kVariable, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  // as written; strings with their quotes; variables without $ and braces
  Place place;
  bool first_column = false;   // is at the beginning of a line: where reading goes on after an error
  bool from_variable = false;  // put in for a variable: takes the type that its field wants
  bool cut = false;            // of the kEnd: reading ended before the text does, which an error has told
  const SourceText* writer = nullptr;  // of its first characters, where a variable put them in: paths.h
  bool is(const char* symbol) const { return kind == Kind::kSymbol && text == symbol; }
};

// Of one text: more would be no work of a person, and fill the memory.
constexpr size_t kMaxWords = 4'000'000;

// All words of `source`, ended by a kEnd. Comments run from # to the line's end.
// Errors: bytes that are no printable UTF-8 (reading stops there, in comments too), strings whose escapes
// stand for such bytes, more than kMaxWords words, strings without an end, "${" without "}".
std::vector<Token> lex(const SourceText& source, Errors& errors);

// `value` as a quoted string of text format, and back (the quotes of `quoted` included).
std::string quote(const std::string& value);
std::string unquote(const std::string& quoted);

bool is_identifier(const std::string& text);
bool is_number(const std::string& text);  // with an optional minus
bool is_string(const std::string& text);  // begins with a quote

}  // namespace plait::inline pipeline
