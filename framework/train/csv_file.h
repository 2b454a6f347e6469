// Rows of plain numbers in a text that other programs write (.csv): RFC 4180, numbers as C++ and Python write
// them whatever the locale.
#pragma once
#include <string>
#include <string_view>

#include "base/status.h"
#include "train/array_file.h"

namespace plait::inline train {

// Whether the first row is a heading.
enum class Heading {
  kAuto,  // found out: see read_csv
  kYes,
  kNo,
};

// Shapes: [rows, numbers of a row]. Fields are parted by commas and may be in quotes; lines end with \n,
// \r\n or \r, blank ones and the mark of UTF-8 at the beginning (EF BB BF) are passed over.
// With kAuto the first row is a heading when none of its fields is a number, or all of them and no others are
// in quotes; and when it counts its fields, 0, 1, 2, ..., as pandas names columns, and there are eight or
// more of them, or every other row has a number that is not whole. `note` then says that a row of numbers was
// taken for a heading. A row that counts may be a sample too: where it cannot be told, it is refused.
// Fails with: kCorrupt naming line and column of what is no finite number that f32 can hold, or of a row of
// another length; kInvalid when it has to be said whether the first row is a heading.
Result<Array> read_csv(std::string_view text, const std::string& place, Heading heading = Heading::kAuto,
                       std::string* note = nullptr);

}  // namespace plait::inline train
