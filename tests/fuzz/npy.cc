// NumPy's arrays, as `plait predict --in` reads them.
#include "fuzz.h"
#include "train/array_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto array = plait::read_npy({reinterpret_cast<const char*>(data), size}, "a.npy");
  if (array) static_cast<void>(plait::write_npy(*array));
  return 0;
}
