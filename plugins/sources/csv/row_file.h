// The rows of a table in a text file, one after the other: RFC 4180, with blanks round fields, blank lines,
// and any of \n, \r\n and \r as ends of lines. A piece of the file is in memory at a time.
#pragma once
#include <plait/sdk/file.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <plait/sdk.hpp>

namespace plait::csv {

struct Cell {
  std::string text;  // without blanks and quotes around it; two quotes within quotes are one
  int64_t line = 1, column = 1;
  bool quoted = false;
};

// Threads: [one at a time]
class RowFile {
 public:
  static constexpr size_t kMostCell_bytes = 1 << 20, kMostFields = 1 << 20;

  // Fails with: NotFound, IoError as sdk::File; CorruptFile for UTF-16.
  RowFile(const std::string& path, char separator);

  const std::string& path() const { return file_.path(); }
  // The next row that is not blank goes into row[0, count); 0 at the end of the file. Fields are used again.
  // Fails with: CorruptFile naming line and column of what is no UTF-8, of a byte 0, of a quote that does not
  // end or is followed by text, and of a field or a row that is too long.
  size_t next(std::vector<Cell>& row);

  template <class... Part>
  [[noreturn]] void refuse(int64_t line, int64_t column, const Part&... parts) const {
    throw sdk::CorruptFile(path(), ":", line, ":", column, ": ", parts...);
  }

 private:
  static constexpr int kEnd = -1;
  int peek();
  void advance();
  bool accept(char c);
  void blanks();
  void end_line();
  void field(Cell& into);
  void plain(Cell& into);
  void quoted(Cell& into);
  void append(Cell& into);
  void check(const Cell& field) const;
  bool is_blank(int c) const { return (c == ' ' || c == '\t') && c != separator_; }
  bool ends_field(int c) const { return c == kEnd || c == separator_ || c == '\n' || c == '\r'; }

  sdk::File file_;
  char separator_;
  std::string piece_;
  uint64_t offset_ = 0;  // of what follows the piece
  size_t at_ = 0;        // in the piece
  int64_t line_ = 1, column_ = 1;
};

}  // namespace plait::csv
