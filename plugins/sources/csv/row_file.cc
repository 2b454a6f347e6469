#include "row_file.h"

#include <plait/sdk/utf8.hpp>

namespace plait::csv {
namespace {

constexpr size_t kPiece_bytes = 1 << 16;

}  // namespace

RowFile::RowFile(const std::string& path, char separator) : file_(path), separator_(separator) {
  const std::string head = file_.read(0, 3);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff"))
    throw sdk::CorruptFile(path, ": the text is UTF-16, wanted UTF-8");
  if (head == "\xef\xbb\xbf") offset_ = 3;
}

int RowFile::peek() {
  if (at_ == piece_.size()) {
    piece_ = file_.read(offset_, kPiece_bytes);
    offset_ += piece_.size();
    at_ = 0;
    if (piece_.empty()) return kEnd;
  }
  return static_cast<unsigned char>(piece_[at_]);
}

// Columns count characters: the later bytes of one do not count. \r\n ends a line once.
void RowFile::advance() {
  const auto byte = static_cast<unsigned char>(piece_[at_++]);
  if ((byte & 0xc0) != 0x80) ++column_;
  const bool ends = byte == '\n' || (byte == '\r' && peek() != '\n');
  if (!ends) return;
  ++line_;
  column_ = 1;
}

bool RowFile::accept(char c) {
  if (peek() != static_cast<unsigned char>(c)) return false;
  advance();
  return true;
}

void RowFile::blanks() {
  while (is_blank(peek())) advance();
}

void RowFile::end_line() {
  if (accept('\r')) {
    accept('\n');
  } else {
    accept('\n');
  }
}

size_t RowFile::next(std::vector<Cell>& row) {
  while (peek() != kEnd) {
    size_t count = 0;
    do {
      if (count == kMostFields) refuse(line_, column_, "more than ", kMostFields, " fields in a row");
      if (count == row.size()) row.emplace_back();
      field(row[count++]);
    } while (accept(separator_));
    end_line();
    if (count > 1 || row[0].quoted || !row[0].text.empty()) return count;
  }
  return 0;
}

void RowFile::field(Cell& into) {
  blanks();
  into.text.clear();
  into.line = line_, into.column = column_;
  into.quoted = peek() == '"';
  if (into.quoted)
    quoted(into);
  else
    plain(into);
  check(into);
}

void RowFile::plain(Cell& into) {
  while (!ends_field(peek())) append(into);
  while (!into.text.empty() && is_blank(into.text.back())) into.text.pop_back();
}

void RowFile::quoted(Cell& into) {
  advance();
  for (;;) {
    while (peek() != '"' && peek() != kEnd) append(into);
    if (peek() == kEnd) refuse(into.line, into.column, "a quote that does not end");
    advance();
    if (peek() != '"') break;
    append(into);
  }
  blanks();
  if (!ends_field(peek()))
    refuse(line_, column_, "text after a field in quotes, wanted the end of the field");
}

void RowFile::append(Cell& into) {
  if (peek() == 0) refuse(line_, column_, "a byte 0 (NUL), wanted text in UTF-8");
  if (into.text.size() == kMostCell_bytes)
    refuse(into.line, into.column, "a field of more than ", kMostCell_bytes, " bytes");
  into.text += static_cast<char>(peek());
  advance();
}

void RowFile::check(const Cell& field) const {
  const size_t valid = sdk::valid_utf8(field.text);
  if (valid == field.text.size()) return;
  refuse(field.line, field.column, "byte ", valid + 1, " of the field is not UTF-8, ",
         sdk::excerpt(std::string_view(field.text).substr(valid, 1)));
}

}  // namespace plait::csv
