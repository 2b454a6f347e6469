// A table of sorted pairs, which a stage wrote, as arrays for other stages.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "registry/stage_arrays.h"

namespace plait::inline train {

// A table of pairs as arrays, which a field that names its stage gives to a plugin: key u8 [bytes of all
// keys], one after the other; key_end i64 [n], where each ends; value i64 or f64 [n], of bytes u8 with
// value_end. Lengths are not known before the stage has run. Keys are in the order of the table, by their
// bytes.
std::vector<PartSpec> table_arrays(uint32_t kind);
// What a stage's record calls their kind: "i64", "f64", "bytes"; and back.
const char* table_value(uint32_t kind);
uint32_t value_kind_of(const std::string& name);
// They, of the text of a .tsv table: a line for each pair, key and value parted by a tab; a tab, a line's end
// (\n, \r) and a backslash within are \t, \n, \r and two backslashes.
// Fails with: kCorrupt naming `place` and the line that is none of such a table.
Result<std::vector<StageArrays::Array>> read_table(std::string_view text, uint32_t kind,
                                                   const std::string& place);

}  // namespace plait::inline train
