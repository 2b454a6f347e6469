// Rows of plain numbers, as `plait predict --in` reads them.
#include "fuzz.h"
#include "train/csv_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto array = plait::read_csv({reinterpret_cast<const char*>(data), size}, "a.csv");
  if (array) static_cast<void>(plait::shape_words(array->shape));
  return 0;
}
