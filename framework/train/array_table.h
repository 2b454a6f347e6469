// Arrays of a stage's output as files that other programs read.
#pragma once
#include <string>
#include <vector>

#include "base/files.h"
#include "mapreduce/array_stage.h"

namespace plait {

// Whether a file of this name can hold them: .safetensors holds any; .npy one; .csv and .tsv arrays of at
// most two axes that agree in the first. The first axis of accumulated rows is not known before they are
// there. Fails with: kInvalid naming the arrays.
Status check_arrays_fit(const std::string& file, const std::vector<PartSpec>& arrays);

// .npy and .safetensors: as they are. .csv and .tsv: a heading, then a line for each place of the first axis;
// an array of one axis is a column of its name, one of two axes the columns name_0, name_1, ... Numbers so
// that reading gives the same bits. Fails with: kInvalid as check_arrays_fit; what `write` returns.
Status write_arrays(const std::vector<OutputArray>& arrays, const std::string& file,
                    const Files::Writer& write);

}  // namespace plait
