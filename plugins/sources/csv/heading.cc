#include "heading.h"

#include <plait/sdk/number_text.hpp>
#include <plait/sdk/utf8.hpp>

#include <algorithm>
#include <span>

namespace plait::csv {
namespace {

constexpr size_t kSurelyCounts = 8;  // fields: no row of numbers of ours is likely to be 0, 1, ..., 7

using Row = std::span<const Cell>;

bool is_number(const Cell& cell) {
  float ignored = 0;
  return sdk::read_number(cell.text, ignored) != sdk::NumberText::kNone;
}
bool is_whole(const Cell& cell) { return cell.text.find_first_not_of("+-0123456789") == std::string::npos; }
bool is_quoted(const Cell& cell) { return cell.quoted; }

bool counts(Row row) {
  for (size_t i = 0; i < row.size(); ++i)
    if (row[i].text != std::to_string(i)) return false;
  return true;
}

}  // namespace

Found find_heading(const std::vector<Cell>& first, size_t count) {
  const Row row(first.data(), count);
  if (std::ranges::none_of(row, is_number)) return Found::kHeading;
  return counts(row) || std::ranges::all_of(row, is_quoted) ? Found::kPerhapsHeading : Found::kRecord;
}

bool is_heading(const sdk::Context& c, const std::string& path, char separator) {
  RowFile rows(path, separator);
  std::vector<Cell> first, cells;
  const size_t width = rows.next(first);
  const Row row(first.data(), width);
  bool has_others = false, others_quoted = false, others_whole = false;
  for (int64_t number = 0; const size_t count = rows.next(cells); ++number) {
    if (number % 4096 == 0) c.stop_if_cancelled();
    const Row other(cells.data(), count);
    has_others = true;
    others_quoted = others_quoted || std::ranges::any_of(other, is_quoted);
    others_whole = others_whole || std::ranges::all_of(other, is_whole);
  }
  const bool quoted_alone = std::ranges::all_of(row, is_quoted) && has_others && !others_quoted;
  const bool counts_alone = has_others && counts(row) && (width >= kSurelyCounts || !others_whole);
  if (quoted_alone || counts_alone) return true;
  if (!counts(row)) return false;
  throw sdk::Error(path, ":", first[0].line, ":1: the first row is ", beginning_of(first, width),
                   ": a heading or a record? header: true or header: false says which (plait predict: "
                   "--header yes or no)");
}

std::string beginning_of(const std::vector<Cell>& row, size_t count) {
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(3, count); ++i)
    text += (i > 0 ? ", " : "") + row[i].text.substr(0, 20);
  return text + (count > 3 ? ", ..." : "");
}

}  // namespace plait::csv
