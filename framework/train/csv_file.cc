#include "train/csv_file.h"

#include <algorithm>
#include <plait/sdk/number_text.hpp>
#include <vector>

#include "base/shown.h"

namespace plait::inline train {
namespace {

constexpr size_t kSurelyCounts = 8;  // so many fields that count from 0 are no sample

struct CsvField {
  std::string_view text;  // without blanks and quotes around it
  int64_t line = 1, column = 1;
  bool quoted = false;
};
using CsvRow = std::vector<CsvField>;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

// Goes through a text row by row.
class CsvRows {
 public:
  CsvRows(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  // The next row that is not blank; an empty one at the end of the text.
  Result<CsvRow> next() {
    CsvRow row;
    while (at_ < text_.size()) {
      row.clear();
      do {
        row.emplace_back();
        PLAIT_TRY(field(row.back()));
      } while (accept(','));
      end_line();
      if (row.size() > 1 || !row.front().text.empty() || row.front().quoted) return row;
    }
    return CsvRow();
  }

 private:
  bool at_end_of_field() const { return at_ == text_.size() || text_[at_] == ',' || is_line_end(text_[at_]); }

  // Columns count characters: the later bytes of one do not count.
  void advance() {
    const auto byte = static_cast<unsigned char>(text_[at_++]);
    if ((byte & 0xc0) != 0x80) ++column_;
    const bool second_half = byte == '\n' && at_ > 1 && text_[at_ - 2] == '\r';
    if (!is_line_end(static_cast<char>(byte))) return;
    column_ = 1;
    if (!second_half) ++line_;
  }
  bool accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    advance();
    return true;
  }
  void blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) advance();
  }
  void end_line() {
    if (accept('\r')) {
      accept('\n');
    } else {
      accept('\n');
    }
  }

  Status field(CsvField& into) {
    blanks();
    into.line = line_, into.column = column_;
    if (at_ < text_.size() && text_[at_] == '"') return quoted(into);
    const size_t begin = at_;
    while (!at_end_of_field()) advance();
    into.text = text_.substr(begin, at_ - begin);
    while (!into.text.empty() && is_blank(into.text.back())) into.text.remove_suffix(1);
    return {};
  }

  // Two quotes in a text stand for one; no number has any, so that they may stay two.
  Status quoted(CsvField& into) {
    into.quoted = true;
    advance();
    const size_t begin = at_;
    size_t end = begin;
    do {
      while (at_ < text_.size() && text_[at_] != '"') advance();
      if (at_ == text_.size()) return error(into.line, into.column, "a quote that does not end");
      end = at_;
      advance();
    } while (accept('"'));
    into.text = text_.substr(begin, end - begin);
    blanks();
    if (at_end_of_field()) return {};
    return error(line_, column_, "text behind a field in quotes, wanted a comma");
  }

 public:
  Status error(int64_t line, int64_t column, const std::string& what) const {
    return {Code::kCorrupt, place_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + what};
  }

 private:
  std::string_view text_;
  const std::string& place_;
  size_t at_ = 0;
  int64_t line_ = 1, column_ = 1;
};

using Number = sdk::NumberText;

bool is_number(const CsvField& field) {
  float ignored = 0;
  return sdk::read_number(field.text, ignored) != Number::kNone;
}
bool is_whole(const CsvField& field) {
  return field.text.find_first_not_of("+-0123456789") == std::string_view::npos;
}
bool is_quoted(const CsvField& field) { return field.quoted; }

// "0,1,2,...": the names that pandas gives columns.
bool counts(const CsvRow& row) {
  for (size_t i = 0; i < row.size(); ++i)
    if (row[i].text != std::to_string(i)) return false;
  return true;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& place, Heading heading, std::string* note)
      : place_(place), rows_(text, place), heading_(heading), note_(note) {}

  Result<Array> run() {
    PLAIT_ASSIGN(first_, rows_.next());
    const bool is_plain_heading =
        heading_ == Heading::kYes || (heading_ == Heading::kAuto && std::ranges::none_of(first_, is_number));
    may_be_heading_ = heading_ == Heading::kAuto && !is_plain_heading && !first_.empty() &&
                      (counts(first_) || std::ranges::all_of(first_, is_quoted));
    if (!is_plain_heading && !first_.empty()) PLAIT_TRY(add(first_));
    width_ = first_.size();
    for (;;) {
      PLAIT_ASSIGN(const CsvRow row, rows_.next());
      if (row.empty()) break;
      if (may_be_heading_) look_at(row);
      PLAIT_TRY(add(row));
    }
    if (may_be_heading_) PLAIT_TRY(decide());
    array_.shape = {count_, static_cast<int64_t>(width_)};
    return std::move(array_);
  }

 private:
  Status add(const CsvRow& row) {
    if (width_ != 0 && row.size() != width_)
      return rows_.error(
          row.back().line, row.back().column,
          std::to_string(row.size()) + " fields, wanted " + std::to_string(width_) + " as in the first row");
    for (size_t i = 0; i < row.size(); ++i) {
      float value = 0;
      const Number got = sdk::read_number(row[i].text, value);
      if (got != Number::kGood) return refused(row, i, got);
      array_.values.push_back(value);
    }
    count_ += 1;
    return {};
  }

  Status refused(const CsvRow& row, size_t i, Number got) const {
    const std::string text = "field " + std::to_string(i + 1) + " is ";
    const std::string got_text = "\"" + shown(row[i].text.substr(0, 40)) + "\"";
    const char* what = got == Number::kNotFinite  ? ", wanted a finite number"
                       : got == Number::kTooLarge ? ", which is too large for f32"
                                                  : ", which is no number";
    return rows_.error(
        row[i].line, row[i].column,
        text + (row[i].text.empty() ? "empty, wanted a number" : got_text + what) + hint(row, i));
  }

  std::string hint(const CsvRow& row, size_t i) const {
    const std::string_view field = row[i].text;
    if (count_ == 0 && i == 0 && field.empty() && row.size() > 1)
      return "; if the first column counts the rows, write the file without it (pandas: index=False)";
    if (row.size() == 1 && field.find_first_of(";\t") != std::string_view::npos)
      return "; fields are parted by commas";
    if (count_ == 0 && heading_ != Heading::kYes) return "; --header yes passes over the first row";
    return "";
  }

  void look_at(const CsvRow& row) {
    others_quoted_ = others_quoted_ || std::ranges::any_of(row, is_quoted);
    others_whole_ = others_whole_ || std::ranges::all_of(row, is_whole);
    has_others_ = true;
  }

  // The first row is among the values: a heading is taken out again.
  Status decide() {
    const bool quoted_alone = std::ranges::all_of(first_, is_quoted) && has_others_ && !others_quoted_;
    const bool counts_alone = has_others_ && counts(first_) && (width_ >= kSurelyCounts || !others_whole_);
    if (!quoted_alone && !counts_alone) {
      if (!counts(first_)) return {};
      return {Code::kInvalid, place_ + ":" + std::to_string(first_.front().line) + ":1: the first row is " +
                                  first_text() +
                                  ": a heading or a sample? --header yes or --header no says which"};
    }
    array_.values.erase(array_.values.begin(), array_.values.begin() + static_cast<std::ptrdiff_t>(width_));
    count_ -= 1;
    if (note_ != nullptr)
      *note_ = place_ + ": the first row, " + first_text() +
               ", is taken for a heading (--header no: it is a sample)";
    return {};
  }

  std::string first_text() const {
    std::string text;
    for (size_t i = 0; i < std::min<size_t>(3, first_.size()); ++i)
      text += (i ? ", " : "") + shown(first_[i].text.substr(0, 20));
    return text + (first_.size() > 3 ? ", ..." : "");
  }

  const std::string& place_;
  CsvRows rows_;
  Heading heading_;
  std::string* note_;
  Array array_;
  CsvRow first_;
  size_t width_ = 0;
  int64_t count_ = 0;
  bool may_be_heading_ = false;
  bool has_others_ = false, others_quoted_ = false, others_whole_ = false;  // one of them is
};

// A heading is passed over unread, so that a file of zeros would be one without records.
Status zero_byte(std::string_view text, size_t at, const std::string& place) {
  const std::string_view before = text.substr(0, at);
  const size_t line_begin = before.find_last_of("\r\n") + 1;  // npos + 1 is 0
  int64_t line = 1;
  for (size_t i = 0; i < line_begin; ++i)
    line += before[i] == '\n' || (before[i] == '\r' && text[i + 1] != '\n') ? 1 : 0;
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  const auto column = 1 + std::ranges::count_if(before.substr(line_begin), is_first_byte);
  return {Code::kCorrupt, place + ":" + std::to_string(line) + ":" + std::to_string(column) +
                              ": a byte 0 (NUL), wanted text in UTF-8: numbers parted by commas"};
}

}  // namespace

Result<Array> read_csv(std::string_view text, const std::string& place, Heading heading, std::string* note) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Status(Code::kCorrupt, place + ": the text is UTF-16, wanted UTF-8");
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
    return zero_byte(text, zero, place);
  return CsvReader(text, place, heading, note).run();
}

}  // namespace plait::inline train
