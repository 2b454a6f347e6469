// repeat { count: 4 as: "i" layer { name: "c${i}" ... } }: the fields that are in it, count times.
//
// It may be wherever a field may be that can be written more than once: at the top level, in another
// repeat, in a block that holds a list. Its variable counts from 1 unless `from` says another number, and is
// known inside the block only. A type that is called repeat is written [vendor.repeat].
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/syntax.h"

namespace plait::inline pipeline {

struct Repeat {
  int64_t count = 0;
  std::string variable;  // "" where it has none
  Place variable_place;
  int64_t from = 1;
  int64_t step = 1;
};

bool is_repeat(const Field& field);
// count, as, from or step: what a repeat says of itself.
bool is_repeats_own(const Field& field);

// Reads the own fields of a block whose variables are replaced. False after an error: a field that is
// missing, twice, out of range or misspelt, a variable that is no name, nothing to repeat.
bool read_repeat(const Field& block, Repeat& repeat, Errors& errors);

}  // namespace plait::inline pipeline
