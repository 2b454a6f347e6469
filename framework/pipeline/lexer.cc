#include "pipeline/lexer.h"

#include <google/protobuf/io/tokenizer.h>

#include <cctype>
#include <charconv>
#include <cstdio>

#include "base/shown.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kMaxExpression_bytes = 1 << 20;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
 public:
  Lexer(const SourceText& source, Errors& errors) : source_(source), text_(source.text), errors_(errors) {}

  std::vector<Token> run() {
    if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;  // byte order mark
    tokens_.reserve(std::min(text_.size() / 4, kMaxWords) + 2);
    const Unprintable bad = find_bad();
    if (bad) end_ = bad.offset;
    while (!errors_.is_full() && skip_blanks() && next()) {
    }
    if (bad && at_ == end_) not_text(bad);
    tokens_.push_back(token(Token::Kind::kEnd, text_.size(), ""));
    tokens_.back().cut = end_ < text_.size() || errors_.is_full();
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < end_ ? text_[at_ + ahead] : '\0'; }

  // Reading ends there: what follows may be anything. A line may end in "\r\n".
  Unprintable find_bad() const {
    for (size_t from = at_;;) {
      Unprintable bad = find_unprintable(std::string_view(text_).substr(from), Blanks::kText);
      bad.offset += from;
      if (!bad || text_.compare(bad.offset, 2, "\r\n") != 0) return bad;
      from = bad.offset + 2;
    }
  }
  Place place(size_t begin) const { return {&source_, begin, at_ > begin ? at_ - begin : 1}; }

  Token token(Token::Kind kind, size_t begin, std::string text) const {
    return {kind, std::move(text), place(begin), begin == 0 || text_[begin - 1] == '\n', false};
  }
  bool push(Token::Kind kind, size_t begin) {
    tokens_.push_back(token(kind, begin, text_.substr(begin, at_ - begin)));
    if (tokens_.size() < kMaxWords) return true;
    errors_.add(place(begin), "the text has more than " + std::to_string(kMaxWords) + " words and marks");
    tokens_.clear();  // nothing else is worth an error
    return false;
  }

  bool skip_blanks() {
    while (at_ < end_ && (is_blank(text_[at_]) || text_[at_] == '#')) {
      if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), end_);
      else
        ++at_;
    }
    return at_ < end_;
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
    if (static_cast<unsigned char>(c) >= 0x7f) return no_word(begin);
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
    bool escapes = false;
    for (++at_; at_ < end_; ++at_) {
      const char c = text_[at_];
      if (c == quote_mark) return ++at_, whole_string(begin, escapes);
      if (c == '\n') break;
      if (c != '\\') continue;
      escapes = true;
      if (peek(1) != '\n') ++at_;
    }
    at_ = std::min(at_, end_);
    if (at_ == end_ && end_ < text_.size()) return true;  // the byte that ends the reading is the error
    errors_.add(place(begin), "this string has no closing quote on its line");
    tokens_.push_back(token(Token::Kind::kString, begin, "\"\""));
    return true;
  }

  // What "\033" stands for is text of the file too.
  bool whole_string(size_t begin, bool escapes) {
    if (!push(Token::Kind::kString, begin)) return false;
    if (!escapes) return true;
    const Unprintable bad = find_unprintable(unquote(tokens_.back().text), Blanks::kText);
    if (!bad) return true;
    errors_.add(place(begin), bad.what + " in this text", "a text holds printable characters in UTF-8");
    tokens_.back().text = "\"\"";
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
    const std::string_view ahead =
        std::string_view(text_).substr(at_, peek() == '{' ? kMaxExpression_bytes : 0);
    const size_t end = at_ + std::min(ahead.find_first_of("}\n\""), ahead.size());
    if (peek() != '{' || end >= end_ || text_[end] != '}') {
      errors_.add(place(begin), "\"$\" is followed by neither a name nor {expression}",
                  "write $width or ${width * 2}");
      return true;
    }
    at_ = end + 1;
    tokens_.push_back(token(Token::Kind::kVariable, begin, text_.substr(begin + 2, end - begin - 2)));
    return true;
  }

  bool no_word(size_t begin) {
    at_ = begin + 1;
    while (at_ < end_ && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80) ++at_;
    errors_.add(place(begin), "\"" + text_.substr(begin, at_ - begin) + "\" is outside of quotes");
    return at_ = end_, false;
  }

  void not_text(const Unprintable& bad) {
    const bool is_byte = bad.length == 1 && bad.what.starts_with("control");
    char hex[16];
    std::snprintf(hex, sizeof hex, "byte 0x%02x", static_cast<unsigned char>(text_[bad.offset]));
    errors_.add({&source_, bad.offset, 1},
                (is_byte ? hex : bad.what) + std::string(" does not belong in a pipeline file"),
                text_.compare(0, 2, "\x1f\x8b") == 0 ? "the file is compressed with gzip"
                                                     : "a pipeline file is printable text in UTF-8");
  }

  const SourceText& source_;
  const std::string& text_;
  Errors& errors_;
  size_t at_ = 0;
  size_t end_ = text_.size();  // or where the text is no text any more
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

}  // namespace plait::inline pipeline
