// NumPy's arrays, as `plait predict --in` reads them.
#include "fuzz.h"
#include "train/array_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(plait::read_npy({reinterpret_cast<const char*>(data), size}, "a.npy"));
  return 0;
}
