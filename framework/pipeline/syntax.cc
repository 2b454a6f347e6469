#include "pipeline/syntax.h"

#include <algorithm>

namespace plait::inline pipeline {
namespace {

using Kind = Token::Kind;

std::string as_written(const Token& token) {
  if (token.kind == Kind::kEnd) return "the end of the text";
  if (token.kind == Kind::kVariable) return "$" + token.text;
  return token.kind == Kind::kString ? token.text : "\"" + token.text + "\"";
}

class Parser {
 public:
  Parser(const std::vector<Token>& tokens, Errors& errors) : tokens_(tokens), errors_(errors) {}

  std::vector<Field> run() {
    std::vector<Field> fields;
    while (peek().kind != Kind::kEnd && !errors_.is_full()) {
      const size_t begin = at_;
      std::vector<Field> read;
      if (field(read, 0))
        std::move(read.begin(), read.end(), std::back_inserter(fields));
      else
        resume_after(begin);
    }
    return fields;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  const Token& take() { return tokens_[at_].kind == Kind::kEnd ? tokens_[at_] : tokens_[at_++]; }
  bool accept(const char* symbol) { return peek().is(symbol) && (take(), true); }
  bool fail(const std::string& wanted, const std::string& hint = "") {
    if (!peek().cut) errors_.add(peek().place, "expected " + wanted + ", got " + as_written(peek()), hint);
    return false;
  }

  void resume_after(size_t begin) {
    at_ = begin;
    while (take().kind != Kind::kEnd && !(peek().first_column && peek().kind == Kind::kName)) {
    }
  }

  bool field(std::vector<Field>& out, int depth) {
    Field made;
    if (!name(made)) return false;
    const bool colon = accept(":");
    if (peek().is("{")) return message(made, depth) && finish(out, made);
    if (peek().is("<")) return fail("\"{\"", "messages are written in { }");
    if (!colon) return fail("\":\" or \"{\" after \"" + made.name.text + "\"");
    if (accept("[")) return list(made, out, depth);
    return scalar(made) && finish(out, made);
  }

  bool finish(std::vector<Field>& out, Field& made) {
    out.push_back(std::move(made));
    if (!accept(",")) accept(";");
    return true;
  }

  bool name(Field& made) {
    made.name = peek();
    if (accept("[")) return bracketed_name(made);
    if (peek().is("}")) return fail("a field", "this } closes nothing");
    if (peek().kind != Kind::kName && peek().kind != Kind::kVariable) return fail("the name of a field");
    take();
    return true;
  }

  bool bracketed_name(Field& made) {
    made.bracketed = true;
    made.name.kind = Kind::kName;
    made.name.text.clear();
    while (peek().kind == Kind::kName || peek().kind == Kind::kNumber || peek().is(".") || peek().is("-"))
      made.name.text += take().text;
    const Token& close = peek();
    if (made.name.text.empty() || !accept("]")) return fail("the id of a type, as in [vendor.name]");
    made.name.place.length = close.place.offset + 1 - made.name.place.offset;
    return true;
  }

  bool message(Field& made, int depth) {
    const Token& open = take();
    made.is_message = true;
    if (depth >= kMaxDepth) {
      errors_.add(open.place, "messages nest deeper than " + std::to_string(kMaxDepth) + " levels");
      return false;
    }
    while (!peek().is("}")) {
      if (peek().kind == Kind::kEnd) {
        if (!peek().cut) errors_.add(open.place, "this { is never closed");
        return false;
      }
      if (!field(made.fields, depth + 1)) return false;
    }
    made.end = take().place;
    return true;
  }

  bool list(const Field& like, std::vector<Field>& out, int depth) {
    while (!accept("]")) {
      Field made = like;
      made.in_list = true;
      if (!(peek().is("{") ? message(made, depth) : scalar(made))) return false;
      out.push_back(std::move(made));
      if (!peek().is("]") && !accept(",")) return fail("\",\" or \"]\"");
    }
    if (!accept(",")) accept(";");
    return true;
  }

  bool scalar(Field& made) {
    if (peek().is("-")) made.scalar.push_back(take());
    if (peek().kind == Kind::kEnd || peek().kind == Kind::kSymbol)
      return fail("a value for \"" + made.name.text + "\"");
    const Kind kind = peek().kind;
    do made.scalar.push_back(take());
    while (kind == Kind::kString && peek().kind == Kind::kString);
    return true;
  }

  const std::vector<Token>& tokens_;
  Errors& errors_;
  size_t at_ = 0;
};

}  // namespace

bool Field::is_unresolved() const {
  const auto open = [](const Token& token) { return token.kind == Kind::kVariable; };
  return open(name) || std::any_of(scalar.begin(), scalar.end(), open);
}

const Field* Field::find(const std::string& field_name) const {
  for (const Field& field : fields)
    if (field.name.text == field_name) return &field;
  return nullptr;
}

std::string Field::text_of(const std::string& field_name) const {
  const Field* field = find(field_name);
  return field ? scalar_text(field->scalar) : "";
}

std::vector<Field> parse_fields(const std::vector<Token>& tokens, Errors& errors) {
  return Parser(tokens, errors).run();
}

std::string scalar_text(const std::vector<Token>& scalar) {
  std::string text;
  for (const Token& token : scalar) text += token.kind == Kind::kString ? unquote(token.text) : token.text;
  return text;
}

Place scalar_place(const Field& field) {
  if (field.scalar.empty()) return field.name.place;
  Place place = field.scalar.front().place;
  const Place& last = field.scalar.back().place;
  if (last.source == place.source && last.offset >= place.offset)
    place.length = last.offset + last.length - place.offset;
  return place;
}

}  // namespace plait::inline pipeline
