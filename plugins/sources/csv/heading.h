// Whether the first row of a table is a heading, found out from its rows.
#pragma once
#include <string>
#include <vector>

#include "row_file.h"

namespace plait::csv {

enum class Found { kHeading, kPerhapsHeading, kRecord };

// By the first row alone. A heading when none of its fields is a number; perhaps one when all fields are in
// quotes, or when they count, 0, 1, 2, ..., as pandas names columns.
Found find_heading(const std::vector<Cell>& first, size_t count);

// By all rows, where the first is perhaps a heading: it is one when all its fields and no others are in
// quotes; and when it counts and there are eight or more fields, or every other row has a number that is not
// whole. Goes through the file once.
// Fails with: Error when it counts and may be a record too; as RowFile.
bool is_heading(const sdk::Context& c, const std::string& path, char separator);

// "0, 1, 2, ..."
std::string beginning_of(const std::vector<Cell>& row, size_t count);

}  // namespace plait::csv
