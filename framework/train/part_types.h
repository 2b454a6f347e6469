// What augmenters may not do to the records of training alone.
#pragma once
#include <string>

#include "base/status.h"
#include "graph/sample_reader.h"

namespace plait::inline train {

// `what`: whose the other records are, "test". Shapes are compared elsewhere.
// Fails with: kInvalid when an operator of augment changes the type of a part and not its shape, and the
// other records, which do not go through it, come with another type: they would be on another scale, and
// nobody would see it, as batches hold f32 of both. A part of another shape (shares of classes in place of a
// label) is another thing, and the network says whether it takes both.
Status check_part_types(const SampleReader& training, const SampleReader& other, const std::string& what);

}  // namespace plait::inline train
