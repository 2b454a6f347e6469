#include "base/csv_cell.h"

#include <doctest/doctest.h>

namespace plait::inline base {

TEST_CASE("a cell is in quotes where it holds what parts cells and lines") {
  CHECK(csv_cell("accuracy:h'=1") == "accuracy:h'=1");
  CHECK(csv_cell("") == "");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"a\"") == "\"say \"\"a\"\"\"");
  CHECK(csv_cell("a\rb") == "\"a\rb\"");
  CHECK(csv_cell("a\nb") == "\"a\nb\"");
}

}  // namespace plait::inline base
