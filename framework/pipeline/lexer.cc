#include "pipeline/lexer.h"

#include <google/protobuf/io/tokenizer.h>

#include <cctype>
#include <charconv>
#include <cstdio>

namespace plait {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
 public:
  Lexer(const SourceText& source, Errors& errors) : source_(source), text_(source.text), errors_(errors) {}

  std::vector<Token> run() {
    if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;  // byte order mark
    while (skip_blanks() && next()) {
    }
    tokens_.push_back(token(Token::Kind::kEnd, text_.size(), ""));
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Place place(size_t begin) const { return {&source_, begin, at_ > begin ? at_ - begin : 1}; }

  Token token(Token::Kind kind, size_t begin, std::string text) const {
    return {kind, std::move(text), place(begin), begin == 0 || text_[begin - 1] == '\n', false};
  }
  bool push(Token::Kind kind, size_t begin) {
    tokens_.push_back(token(kind, begin, text_.substr(begin, at_ - begin)));
    return true;
  }

  bool skip_blanks() {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '#')) {
      if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else
        ++at_;
    }
    return at_ < text_.size();
  }

  bool next() {
    const size_t begin = at_;
    const char c = peek();
    if (is_letter(c)) {
      while (is_word(peek())) ++at_;
      return push(Token::Kind::kName, begin);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(begin);
    if (c == '"' || c == '\'') return string(begin, c);
    if (c == '$') return variable(begin);
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) >= 0x7f) return not_text(begin);
    ++at_;
    return push(Token::Kind::kSymbol, begin);
  }

  bool number(size_t begin) {
    while (is_word(peek()) || peek() == '.' ||
           ((peek() == '-' || peek() == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
            text_.compare(begin, 2, "0x") != 0))
      ++at_;
    return push(Token::Kind::kNumber, begin);
  }

  bool string(size_t begin, char quote_mark) {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote_mark) return ++at_, push(Token::Kind::kString, begin);
      if (c == '\n') break;
      if (c == '\0') return not_text(at_);
      if (c == '\\' && peek(1) != '\n') ++at_;
    }
    at_ = std::min(at_, text_.size());
    errors_.add(place(begin), "this string has no closing quote on its line");
    tokens_.push_back(token(Token::Kind::kString, begin, "\"\""));
    return true;
  }

  bool variable(size_t begin) {
    ++at_;
    if (is_letter(peek())) {
      const size_t name = at_;
      while (is_word(peek())) ++at_;
      tokens_.push_back(token(Token::Kind::kVariable, begin, text_.substr(name, at_ - name)));
      return true;
    }
    const size_t end = text_.find_first_of("}\n\"", at_);
    if (peek() != '{' || end == std::string::npos || text_[end] != '}') {
      errors_.add(place(begin), "\"$\" is followed by neither a name nor {expression}",
                  "write $width or ${width * 2}");
      return true;
    }
    at_ = end + 1;
    tokens_.push_back(token(Token::Kind::kVariable, begin, text_.substr(begin + 2, end - begin - 2)));
    return true;
  }

  bool not_text(size_t at) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "0x%02x", static_cast<unsigned char>(text_[at]));
    at_ = at + 1;
    errors_.add(
        place(at), std::string("byte ") + hex + " does not belong in a pipeline file",
        text_.compare(0, 2, "\x1f\x8b") == 0 ? "the file is compressed with gzip" : "is this a text file?");
    return false;
  }

  const SourceText& source_;
  const std::string& text_;
  Errors& errors_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(const SourceText& source, Errors& errors) { return Lexer(source, errors).run(); }

std::string quote(const std::string& value) {
  std::string text = "\"";
  for (char c : value) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned char>(c));
    if (c == '"' || c == '\\')
      text += std::string("\\") + c;
    else if (c == '\n')
      text += "\\n";
    else
      text += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? std::string(octal) : std::string(1, c);
  }
  return text + "\"";
}

std::string unquote(const std::string& quoted) {
  std::string value;
  google::protobuf::io::Tokenizer::ParseString(quoted, &value);
  return value;
}

bool is_identifier(const std::string& text) {
  if (text.empty() || !is_letter(text[0])) return false;
  for (char c : text)
    if (!is_word(c)) return false;
  return true;
}

bool is_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return !text.empty() && parsed.ptr == end && !is_letter(text[0]) &&
         !is_letter(text[text[0] == '-' && text.size() > 1]);
}

bool is_string(const std::string& text) { return !text.empty() && (text[0] == '"' || text[0] == '\''); }

}  // namespace plait
