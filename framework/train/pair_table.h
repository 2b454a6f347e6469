// Sorted pairs as the text of a table that other programs read.
#pragma once
#include <string>

#include "base/files.h"
#include "mapreduce/pair_stream.h"

namespace plait {

// A line for each pair: key, value of that kind (PLAIT_VALUE_*; of a sum its number).
// .tsv: parted by a tab; a tab, a line's end (\n, \r) and a backslash in a key or in bytes are written as \t,
// \n, \r and two backslashes. .csv: a heading "key,value", fields in quotes where they need them (RFC 4180).
// Numbers so that reading gives the same bits.
// Fails with: the stream's failure; what `write` returns.
Status write_table(PairStream& pairs, uint32_t kind, const std::string& path, const Files::Writer& write);

}  // namespace plait
