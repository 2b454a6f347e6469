// Records from a table in a text file: inputs, class numbers or names, targets.
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>
#include <plait/sdk/number_text.hpp>
#include <plait/sdk/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>

#include "columns.h"
#include "heading.h"
#include "row_file.h"

using namespace plait::sdk;
using plait::csv::Cell;
using plait::csv::Columns;
using plait::csv::Found;
using plait::csv::RowFile;

namespace {

// For `plait verify`: a heading, quotes, \r\n, no \n after the last row.
void write_few_rows() {
  std::ofstream("few.csv", std::ios::binary)
      << "\xEF\xBB\xBFlength,\"width, cm\",kind,price\r\n1.5,2,small,10\r\n"
         "-3e-1, 4 ,\"large\",12.5\n\n0,0,small,0\n7,8,\"large\",1e3";
  std::ofstream("numbers.csv", std::ios::binary) << "0,1,255\n3,4,5\n";
  std::ofstream("plain.tsv", std::ios::binary) << "1\t0\t0.5\n0\t2\t.25\n2\t-1\t1\n";
}

enum class Separator { kComma, kSemicolon, kTab };
enum class Header { kTrue, kFalse, kAuto };
enum class PartType { kF32, kU8 };

class Csv {
 public:
  std::string file, label, part = "x";
  Header header = Header::kTrue;
  Separator separator = Separator::kComma;
  std::vector<std::string> inputs, targets, classes;
  std::vector<int64_t> shape;
  PartType dtype = PartType::kF32;
  int64_t class_count = 0, first = 0, limit = 0;

  static void describe(Describe<Csv>& d) {
    d.doc("records from a table in a text file (.csv)");
    d.details(
        "Parts: x (or as part says) f32 [number of inputs], or as shape and dtype say; label i32 [], of the "
        "column of\n"
        "that name; target f32 [number of targets]. A column is named as in the heading, or by its number "
        "from 1 on;\n"
        "\"2-785\" are several. Rows are parted by \\n, \\r\\n or \\r, fields may be in quotes (RFC "
        "4180), "
        "blank lines are\n"
        "passed over. The table is checked as a whole and kept as numbers, 4 bytes for each that is used.\n"
        "With header: auto the first row is a heading when none of its fields is a number; when all of them "
        "and no\n"
        "others are in quotes; and when it counts them, 0, 1, 2, ..., and there are eight or more, or every "
        "other row\n"
        "has a number that is not whole. A row that counts and may be a record is refused.");
    d.field("file", &Csv::file).doc("table in UTF-8").path().required();
    d.field("header", &Csv::header)
        .doc("the first row is the columns' names; auto: that is found out")
        .choices({"true", "false", "auto"});
    d.field("separator", &Csv::separator).doc("what parts fields").choices({"comma", "semicolon", "tab"});
    d.field("inputs", &Csv::inputs).doc("columns of inputs; without it all besides label and targets");
    d.field("label", &Csv::label).doc("column of the class; without it records have no label");
    d.field("classes", &Csv::classes)
        .doc("names of classes 0, 1, ..., which the label is one of; without it a number");
    d.field("class_count", &Csv::class_count)
        .doc("labels are 0 .. class_count - 1; 0: the largest label says. Not beside classes")
        .range(0, kMostChannels);
    d.field("targets", &Csv::targets).doc("columns of numbers to learn; without it records have no target");
    d.field("part", &Csv::part).doc("name of the part of inputs");
    d.field("shape", &Csv::shape)
        .doc("extents of the part, as many elements as there are inputs")
        .range(1, kMostChannels);
    d.field("dtype", &Csv::dtype)
        .doc("type of the part's elements; u8: whole numbers of 0 to 255")
        .choices({"f32", "u8"});
    d.field("first", &Csv::first).doc("row to begin with, after the heading").range(0, 0x1p48);
    d.field("limit", &Csv::limit)
        .doc("rows at most; 0: all. What follows them is not looked at")
        .range(0, 0x1p48);
  }
  static void examples(Examples& e) {
    e.add("file: \"few.csv\" label: \"kind\" classes: [\"small\", \"large\"] targets: \"price\"");
    e.add(
        "file: \"few.csv\" inputs: [\"length\", \"width, cm\"] part: \"size\" shape: [2, 1] first: 1 limit: "
        "2 header: auto");
    e.add("file: \"plain.tsv\" header: false separator: tab label: \"1\" inputs: \"2-3\"");
    e.add("file: \"numbers.csv\" header: auto dtype: u8");
    e.prepare(&write_few_rows);
  }

  void open(Context& c) {
    check_fields();
    RowFile rows(file, separator_mark());
    std::vector<Cell> row;
    size_t count = rows.next(row);
    if (count == 0) throw CorruptFile(file, ": has no rows");
    has_heading_ = header == Header::kTrue || (header == Header::kAuto && finds_heading(c, row, count));
    choose_columns(row, count);
    if (has_heading_) count = rows.next(row);
    for (int64_t number = 0; count > 0 && !is_enough(number); ++number, count = rows.next(row)) {
      if (number % 4096 == 0) c.stop_if_cancelled();
      check_width(rows, row, count);
      if (number >= first) take(rows, row);
    }
    if (count_ == 0)
      throw CorruptFile(file, ": has no rows", has_heading_ ? " after its heading" : "", from_first());
    if (!classes.empty()) found_classes_ = static_cast<int64_t>(classes.size());
    if (class_count > 0) found_classes_ = class_count;
  }

  SourceInfo info() const {
    SourceInfo info;
    info.count = count_;
    const auto width = static_cast<int64_t>(inputs_.size());
    info.parts.add(part, dtype == PartType::kU8 ? DType::u8 : DType::f32,
                   shape.empty() ? std::vector<int64_t>{width} : shape);
    if (label_) {
      info.parts.add("label", DType::i32, {});
      info.n_classes = static_cast<uint32_t>(found_classes_);
      info.classes = classes;
    }
    if (!targets_.empty()) info.parts.add("target", DType::f32, {static_cast<int64_t>(targets_.size())});
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    const auto row = static_cast<size_t>(index);
    copy(input_numbers_, row, inputs_.size(), call.output(part));
    if (label_) call.output("label").data<int32_t>()[0] = labels_[row];
    if (!targets_.empty()) copy(target_numbers_, row, targets_.size(), call.output("target"));
  }

 private:
  char separator_mark() const {
    constexpr char kMarks[] = {',', ';', '\t'};
    return kMarks[static_cast<size_t>(separator)];
  }

  bool finds_heading(const Context& c, const std::vector<Cell>& row, size_t count) const {
    const Found found = plait::csv::find_heading(row, count);
    if (found != Found::kPerhapsHeading) return found == Found::kHeading;
    if (!plait::csv::is_heading(c, file, separator_mark())) return false;
    c.log(LogLevel::kWarning, "csv: the first row, ", beginning_of(row, count),
          ", is taken for a heading (header: false, or plait predict --header no: it is a record)");
    return true;
  }

  void check_fields() const {
    if (part.empty() || part == "label" || part == "target")
      throw Error("part is \"", part, "\", wanted a name besides label and target");
    if (label.empty() && (!classes.empty() || class_count > 0))
      throw Error("there are ", classes.empty() ? "class_count" : "classes", ", but no column label");
    if (!classes.empty() && class_count > 0)
      throw Error("classes and class_count both say how many there are: wanted one");
    for (size_t i = 0; i < classes.size(); ++i)
      if (std::find(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(i), classes[i]) !=
          classes.begin() + static_cast<std::ptrdiff_t>(i))
        throw Error("classes has ", excerpt(classes[i]), " twice");
    if (shape.size() > PLAIT_MAX_RANK)
      throw Error("shape has ", shape.size(), " axes, wanted at most ", PLAIT_MAX_RANK);
  }

  void choose_columns(const std::vector<Cell>& row, size_t count) {
    std::vector<std::string> heading;
    for (size_t i = 0; has_heading_ && i < count; ++i) heading.push_back(row[i].text);
    columns_.emplace(file, std::move(heading), count);
    std::vector<size_t> used;
    if (!label.empty()) label_ = columns_->one(label), used.push_back(*label_);
    targets_ = columns_->of(targets);
    used.insert(used.end(), targets_.begin(), targets_.end());
    inputs_ = inputs.empty() ? columns_->others(used) : columns_->of(inputs);
    if (inputs_.empty()) throw Error(file, ": no column is left for inputs");
    const int64_t wanted =
        shape.empty() ? static_cast<int64_t>(inputs_.size()) : int64_t{elements(std::span(shape))};
    if (wanted != static_cast<int64_t>(inputs_.size()))
      throw Error(file, ": shape ", std::span<const int64_t>(shape), " has ", wanted,
                  " elements, but there are ", inputs_.size(), " inputs");
  }

  bool is_enough(int64_t number) const { return limit > 0 && number >= first && number - first >= limit; }
  std::string from_first() const { return first > 0 ? " from " + std::to_string(first) + " on" : ""; }

  void check_width(const RowFile& rows, const std::vector<Cell>& row, size_t count) const {
    if (count == columns_->width()) return;
    const Cell& last = row[count - 1];
    rows.refuse(last.line, last.column, count, " fields, wanted ", columns_->width(), " as in the first row");
  }

  void take(const RowFile& rows, const std::vector<Cell>& row) {
    for (const size_t column : inputs_) input_numbers_.push_back(input(rows, row, column));
    for (const size_t column : targets_) target_numbers_.push_back(number(rows, row, column));
    if (label_) labels_.push_back(label_of(rows, row));
    ++count_;
  }

  float input(const RowFile& rows, const std::vector<Cell>& row, size_t column) const {
    const float value = number(rows, row, column);
    if (dtype == PartType::kU8 && !(value >= 0 && value <= 255 && value == std::floor(value)))
      refuse(rows, row, column, "a whole number of 0 to 255");
    return value;
  }

  float number(const RowFile& rows, const std::vector<Cell>& row, size_t column) const {
    float value = 0;
    const NumberText got = read_number(row[column].text, value);
    if (got == NumberText::kGood) return value;
    refuse(rows, row, column,
           (got == NumberText::kTooLarge ? "a number that f32 can hold" : "a finite number") +
               hint(row, column));
  }

  // Of what people meet first.
  std::string hint(const std::vector<Cell>& row, size_t column) const {
    const std::string& text = row[column].text;
    if (columns_->width() == 1 && text.find_first_of(",;\t") != std::string::npos)
      return "; fields are parted by another mark: separator says which";
    if (count_ > 0 || header != Header::kAuto || has_heading_) return "";
    if (column == 0 && text.empty() && columns_->width() > 1)
      return "; if the first column counts the rows, write the file without it (pandas: index=False)";
    return "; is the first row a heading? header: true (plait predict: --header yes) passes over it";
  }

  int32_t label_of(const RowFile& rows, const std::vector<Cell>& row) {
    const std::string& text = row[*label_].text;
    if (!classes.empty()) {
      const auto found = std::ranges::find(classes, text);
      if (found == classes.end()) refuse(rows, row, *label_, "one of classes");
      return static_cast<int32_t>(found - classes.begin());
    }
    const int64_t most = (class_count > 0 ? class_count : kMostChannels) - 1;
    int64_t found = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (error != std::errc() || end != text.data() + text.size() || found < 0 || found > most)
      refuse(rows, row, *label_,
             "a class number, 0 to " + std::to_string(most) + "; names of classes go in the field classes");
    found_classes_ = std::max(found_classes_, found + 1);
    return static_cast<int32_t>(found);
  }

  [[noreturn]] void refuse(const RowFile& rows, const std::vector<Cell>& row, size_t column,
                           const std::string& wanted) const {
    const Cell& field = row[column];
    rows.refuse(field.line, field.column, columns_->words(column), " is ",
                field.text.empty() ? "empty" : excerpt(field.text), ", wanted ", wanted);
  }

  static void copy(const std::vector<float>& from, size_t row, size_t width, const Tensor& to) {
    if (to.dtype() == DType::u8) {
      const auto bytes = to.data<uint8_t>();
      for (size_t i = 0; i < width; ++i) bytes[i] = static_cast<uint8_t>(from[row * width + i]);
      return;
    }
    std::memcpy(to.raw(), from.data() + row * width, width * sizeof(float));
  }

  bool has_heading_ = false;
  std::optional<Columns> columns_;
  std::vector<size_t> inputs_, targets_;
  std::optional<size_t> label_;
  std::vector<float> input_numbers_, target_numbers_;
  std::vector<int32_t> labels_;
  int64_t count_ = 0, found_classes_ = 0;
};

constexpr const char* kEndings[] = {".csv"};
constexpr GivenFiles kFiles = {.endings = kEndings,
                               .table = true,
                               .file = "file",
                               .part = "part",
                               .shape = "shape",
                               .dtype = "dtype",
                               .heading = "header"};

}  // namespace

PLAIT_PLUGIN("plait.csv", "1.0.0", "Apache-2.0", opens_files<kFiles>(source<Csv>("plait.csv")));
