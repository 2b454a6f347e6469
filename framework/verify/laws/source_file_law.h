// The law of sources that open a file which a person names alone (plait/given_file.h).
#pragma once
#include "verify/engine/law.h"

namespace plait::inline verify {

// Tried on the files that the hints write, of the endings that the rules name: each begins as they say; where
// it opens with no more than its name, the part has the name, the extents and the type of elements that the
// named fields ask for.
Status opens_named_files(Trial& trial);

}  // namespace plait::inline verify
