// Sorted pairs as the text of a table that other programs read.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "mapreduce/pair_stream.h"
#include "registry/stage_arrays.h"

namespace plait {

// A line for each pair: key, value of that kind (PLAIT_VALUE_*; of a sum its number).
// .tsv: parted by a tab; a tab, a line's end (\n, \r) and a backslash in a key or in bytes are written as \t,
// \n, \r and two backslashes. .csv: a heading "key,value", fields in quotes where they need them (RFC 4180).
// Numbers so that reading gives the same bits.
// Fails with: the stream's failure; what `write` returns.
Status write_table(PairStream& pairs, uint32_t kind, const std::string& path, const Files::Writer& write);

// A table of pairs as arrays, which a field that names its stage gives to a plugin: key u8 [bytes of all
// keys], one behind the other; key_end i64 [n], where each ends; value i64 or f64 [n], of bytes u8 with
// value_end. Lengths are not known before the stage has run. Keys are in the order of the table, by their
// bytes.
std::vector<PartSpec> table_arrays(uint32_t kind);
// What a stage's record calls their kind: "i64", "f64", "bytes"; and back.
const char* table_value(uint32_t kind);
uint32_t value_kind_of(const std::string& name);
// They, of the text of a .tsv table.
// Fails with: kCorrupt naming `place` and the line that is none of such a table.
Result<std::vector<StageArrays::Array>> read_table(std::string_view text, uint32_t kind,
                                                   const std::string& place);

}  // namespace plait
