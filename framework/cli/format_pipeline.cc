#include "cli/format_pipeline.h"

#include <cassert>

namespace plait::inline cli {
namespace {

using Kind = FormatNode::Kind;

// What is between two words: comments, and whether lines end.
struct Gap {
  std::vector<FormatComment> own_line;
  std::string same_line;  // a comment after the word before
  bool has_newline = false;
  bool blank_at_end = false;
};

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(" \t\r") + 1);
  return line;
}

Gap read_gap(const std::string& text, size_t begin, size_t end, bool at_start) {
  Gap gap;
  int newlines = at_start ? 1 : 0;
  for (size_t at = begin; at < end; ++at) {
    if (text[at] == '\n') ++newlines;
    if (text[at] != '#') continue;
    const size_t stop = std::min(text.find('\n', at), end);
    const std::string comment = trimmed(text.substr(at, stop - at));
    if (newlines == 0)
      gap.same_line = comment;
    else
      gap.own_line.push_back({comment, newlines > 1});
    gap.has_newline = true;
    newlines = 0;
    at = stop - 1;
  }
  gap.has_newline = gap.has_newline || newlines > 0;
  gap.blank_at_end = newlines > 1;
  return gap;
}

// Reads the words of a file that parses.
class TreeReader {
 public:
  TreeReader(const SourceText& source, const std::vector<Token>& tokens)
      : text_(source.text), tokens_(tokens) {
    const size_t first = text_.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;
    gap_ = read_gap(text_, first, tokens_[0].place.offset, true);
  }

  FormatNode run() {
    FormatNode file;
    file.kind = Kind::kMessage;
    file.is_open = true;
    fields(file);
    return file;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  std::string raw(const Token& token) const { return text_.substr(token.place.offset, token.place.length); }
  static void add(std::vector<FormatComment>& to, std::vector<FormatComment> from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  // The next word. What stood before it must have been taken by take_gap; what comes after it is the new
  // gap.
  std::string take() {
    const Token& token = tokens_[at_];
    const size_t end = token.place.offset + token.place.length;
    ++at_;
    gap_ = read_gap(text_, end, peek().place.offset, false);
    return raw(token);
  }
  // A comma or semicolon, which is left out: the comments around it are those of the word before.
  bool skip_separator() {
    if (!peek().is(",") && !peek().is(";")) return false;
    Gap before = std::move(gap_);
    take();
    if (gap_.same_line.empty())
      gap_.same_line = before.same_line;
    else if (!before.same_line.empty())
      before.own_line.push_back({before.same_line, false});
    add(before.own_line, gap_.own_line);
    gap_.own_line = before.own_line;
    gap_.has_newline = gap_.has_newline || before.has_newline;
    return true;
  }
  // Comments inside a field's words come before the field afterwards.
  void hoist(FormatNode& node) {
    if (!gap_.same_line.empty()) node.before.push_back({gap_.same_line, false});
    add(node.before, gap_.own_line);
    gap_ = {};
  }
  void begin(FormatNode& node) {
    node.before = std::move(gap_.own_line);
    node.blank_before = gap_.blank_at_end;
    gap_.own_line.clear();
  }
  void finish(FormatNode& node) {
    skip_separator();
    node.trailing_comment = std::move(gap_.same_line);
    gap_.same_line.clear();
  }

  void fields(FormatNode& into) {
    while (peek().kind != Token::Kind::kEnd && !peek().is("}")) {
      into.is_open = into.is_open || gap_.has_newline;
      into.inner.push_back(field());
    }
    into.is_open = into.is_open || gap_.has_newline;
    into.last = std::move(gap_.own_line);
    gap_.own_line.clear();
  }

  FormatNode field() {
    FormatNode node;
    begin(node);
    const bool bracketed = peek().is("[");
    do {
      node.name += take();
      if (bracketed && node.name.back() != ']') hoist(node);
    } while (bracketed && node.name.back() != ']');
    hoist(node);
    if (peek().is(":")) take(), hoist(node);
    value(node);
    finish(node);
    return node;
  }

  void value(FormatNode& node) {
    if (peek().is("{")) return block(node, Kind::kMessage);
    if (peek().is("[")) return block(node, Kind::kList);
    if (peek().is("-")) node.value = take(), hoist(node);
    const bool is_string = peek().kind == Token::Kind::kString;
    node.value += take();
    while (is_string && peek().kind == Token::Kind::kString) {
      hoist(node);
      node.value += " " + take();
    }
  }

  void block(FormatNode& node, Kind kind) {
    node.kind = kind;
    take();
    node.opening_comment = std::move(gap_.same_line);
    gap_.same_line.clear();
    if (kind == Kind::kMessage)
      fields(node);
    else
      items(node);
    take();
  }

  void items(FormatNode& list) {
    while (!peek().is("]")) {
      list.is_open = list.is_open || gap_.has_newline;
      FormatNode item;
      begin(item);
      value(item);
      finish(item);
      list.inner.push_back(std::move(item));
    }
    list.is_open = list.is_open || gap_.has_newline;
    list.last = std::move(gap_.own_line);
    gap_.own_line.clear();
  }

  const std::string& text_;
  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  Gap gap_;
};

class Printer {
 public:
  std::string run(const FormatNode& file) {
    inner(file, 0);
    return text_;
  }

 private:
  static std::string head(const FormatNode& node) {
    if (node.name.empty()) return "";
    return node.name + (node.kind == Kind::kMessage ? " " : ": ");
  }
  static const char* opening(const FormatNode& node) { return node.kind == Kind::kList ? "[" : "{"; }
  static const char* closing(const FormatNode& node) { return node.kind == Kind::kList ? "]" : "}"; }

  static bool can_be_flat(const FormatNode& node) {
    if (node.kind == Kind::kScalar) return true;
    if (!node.last.empty() || !node.opening_comment.empty()) return false;
    if (node.is_open && !node.inner.empty()) return false;
    for (const FormatNode& inner : node.inner)
      if (!inner.before.empty() || !inner.trailing_comment.empty() || !can_be_flat(inner)) return false;
    return true;
  }

  static std::string flat(const FormatNode& node) {
    if (node.kind == Kind::kScalar) return head(node) + node.value;
    const bool list = node.kind == Kind::kList;
    std::string text;
    for (const FormatNode& inner : node.inner) text += (text.empty() ? "" : list ? ", " : " ") + flat(inner);
    if (!list && !text.empty()) text = " " + text + " ";
    return head(node) + opening(node) + text + closing(node);
  }

  void line(size_t depth, const std::string& words, const std::string& comment) {
    text_ += std::string(2 * depth, ' ') + words + (comment.empty() ? "" : "  " + comment) + "\n";
  }
  void comments(const std::vector<FormatComment>& list, size_t depth, bool first) {
    for (const FormatComment& comment : list) {
      if (comment.blank_before && !first) text_ += "\n";
      line(depth, comment.text, "");
      first = false;
    }
  }

  void inner(const FormatNode& node, size_t depth) {
    for (size_t i = 0; i < node.inner.size(); ++i) {
      const FormatNode& field = node.inner[i];
      comments(field.before, depth, i == 0);
      if (field.blank_before && !(i == 0 && field.before.empty())) text_ += "\n";
      print(field, depth, node.kind == Kind::kList && i + 1 < node.inner.size() ? "," : "");
    }
    comments(node.last, depth, node.inner.empty());
  }

  void print(const FormatNode& node, size_t depth, const std::string& comma) {
    if (can_be_flat(node)) {
      const std::string text = flat(node) + comma;
      const bool fits = 2 * depth + text.size() <= kLineColumns;
      if (fits || node.kind == Kind::kScalar || node.inner.empty())
        return line(depth, text, node.trailing_comment);
    }
    line(depth, head(node) + opening(node), node.opening_comment);
    inner(node, depth + 1);
    line(depth, closing(node) + comma, node.trailing_comment);
  }

  std::string text_;
};

bool same_scalar(const std::vector<Token>& a, const std::vector<Token>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].kind != b[i].kind || a[i].text != b[i].text) return false;
  return true;
}

}  // namespace

bool same_fields(const std::vector<Field>& a, const std::vector<Field>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i].name.kind == b[i].name.kind && a[i].name.text == b[i].name.text &&
                      a[i].bracketed == b[i].bracketed && a[i].in_list == b[i].in_list &&
                      a[i].is_message == b[i].is_message && same_scalar(a[i].scalar, b[i].scalar) &&
                      same_fields(a[i].fields, b[i].fields);
    if (!same) return false;
  }
  return true;
}

Result<FormatNode> format_tree(const SourceText& source) {
  Errors errors;
  const std::vector<Token> tokens = lex(source, errors);
  parse_fields(tokens, errors);
  PLAIT_TRY(errors.status());
  return TreeReader(source, tokens).run();
}

std::string format_text(const FormatNode& file) { return Printer().run(file); }

Result<std::string> format_pipeline(const SourceText& source) {
  PLAIT_ASSIGN(const FormatNode file, format_tree(source));
  std::string text = format_text(file);
  Errors errors;
  const SourceText result{source.name, text};
  [[maybe_unused]] const bool same =
      same_fields(parse_fields(lex(source, errors), errors), parse_fields(lex(result, errors), errors));
  assert(same && !errors.any() && "formatting changed what a file says");
  return text;
}

}  // namespace plait::inline cli
