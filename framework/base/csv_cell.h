// Text as a cell of a CSV file.
#pragma once
#include <string>
#include <string_view>

namespace plait::inline base {

// In quotes where it holds a comma, a quote or an end of line.
std::string csv_cell(std::string_view text);

}  // namespace plait::inline base
