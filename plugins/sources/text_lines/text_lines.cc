// The lines of a text file, and labels that are in a column of it.
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>
#include <plait/sdk/utf8.hpp>

#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include "line_file.h"

using namespace plait::sdk;
using plait::text_lines::LineFile;

namespace {

// For `plait verify`: an empty line, \r\n, a code point of several bytes, no \n after the last line.
void write_few_lines() {
  std::ofstream("few-lines.txt", std::ios::binary) << "to be\nor not\r\n\nto b\xC3\xA9\n\nthat is";
  std::ofstream("few-labels.tsv", std::ios::binary) << "1\tgood\n0\tnot\tso\n-7\t\n";
}

// A column of a line, and what is left without it and one tab beside it.
struct Column {
  std::string_view column, before, behind;
};

// Column `wanted`, from 1 on. Nothing where there are fewer; `columns` says how many.
std::optional<Column> find_column(std::string_view line, int64_t wanted, int64_t& columns) {
  size_t begin = 0;
  for (columns = 1;; ++columns) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    const std::string_view column = line.substr(begin, end - begin);
    if (columns == wanted && end < line.size())
      return Column{column, line.substr(0, begin), line.substr(end + 1)};
    if (columns == wanted) return Column{column, line.substr(0, begin > 0 ? begin - 1 : 0), {}};
    if (end == line.size()) return std::nullopt;
    begin = end + 1;
  }
}

class TextLines {
 public:
  std::string file;
  int64_t label_column = 0, max_bytes = 65536;

  static void describe(Describe<TextLines>& d) {
    d.doc("the lines of a text file");
    d.details(
        "Parts: text u8 [max_bytes], variable axis 0: a line without its end, \\n or \\r\\n; the last line "
        "may "
        "have none.\n"
        "With label_column also label i32 []: the whole number in that column of the line. Columns are "
        "parted by "
        "tabs; the\n"
        "text is then the line without the column and one tab beside it.\n"
        "A byte order mark at the file's beginning is passed over.\n"
        "A line that is no UTF-8, is longer than max_bytes, or has no such number is a bad record.");
    d.field("file", &TextLines::file).doc("file of lines in UTF-8").path().required();
    d.field("label_column", &TextLines::label_column)
        .doc("column of the label, from 1 on; 0: no label")
        .range(0, 1e6);
    d.field("max_bytes", &TextLines::max_bytes)
        .doc("longest line, its label included; memory for it is taken for every record of a batch")
        .range(1, 1 << 24)
        .unit("bytes");
  }
  static void examples(Examples& e) {
    e.add("file: \"few-lines.txt\" max_bytes: 100");
    e.add("file: \"few-labels.tsv\" max_bytes: 100 label_column: 1");
    e.prepare(&write_few_lines);
  }

  void open(Context&) {
    lines_.emplace(file);
    if (lines_->count() == 0) throw CorruptFile(lines_->path(), " has no lines");
  }

  // Reads of the disk are few, one for 64 lines and each of kilobytes: not worth a thread that waits for
  // them.
  SourceInfo info() const {
    SourceInfo info;
    info.count = static_cast<int64_t>(lines_->count());
    info.parts.add("text", DType::u8, {max_bytes}, 0);
    if (label_column > 0) info.parts.add("label", DType::i32, {});
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    const std::string_view line = lines_->line(static_cast<uint64_t>(index), static_cast<size_t>(max_bytes));
    if (const size_t valid = valid_utf8(line); valid < line.size())
      refuse(index, " is not UTF-8 at byte ", valid + 1, " of it, ", excerpt(line.substr(valid, 1)));
    if (label_column == 0) return put_text(call, line, {});
    int64_t columns = 0;
    const auto found = find_column(line, label_column, columns);
    if (!found) refuse(index, " has ", columns, " columns, wanted the label in column ", label_column);
    call.output("label").data<int32_t>()[0] = label_of(index, found->column);
    put_text(call, found->before, found->behind);
  }

 private:
  template <class... Part>
  [[noreturn]] void refuse(int64_t index, const Part&... parts) const {
    throw BadRecord(lines_->path(), ": line ", index + 1, parts...);
  }

  int32_t label_of(int64_t index, std::string_view column) const {
    int32_t label = 0;
    const char* const end = column.data() + column.size();
    const auto read = std::from_chars(column.data(), end, label);
    if (read.ec != std::errc() || read.ptr != end) {
      refuse(index, " has ", excerpt(column), " in column ", label_column, ", wanted a whole number, ",
             INT32_MIN, " to ", INT32_MAX);
    }
    return label;
  }

  static void put_text(SampleCall& call, std::string_view head, std::string_view tail) {
    auto* const to = static_cast<char*>(call.output("text").raw());
    std::copy(tail.begin(), tail.end(), std::copy(head.begin(), head.end(), to));
    call.set_length("text", static_cast<int64_t>(head.size() + tail.size()));
  }

  std::optional<LineFile> lines_;
};

constexpr const char* kEndings[] = {".txt"};
constexpr GivenFiles kFiles = {.endings = kEndings, .file = "file", .shape = "max_bytes", .lines = true};

}  // namespace

PLAIT_PLUGIN("plait.text_lines", "1.0.0", "Apache-2.0",
             opens_files<kFiles>(source<TextLines>("plait.text_lines")));
