// Arrays in NumPy files, of which the first and the last record are read.
#include <plait/sdk/error.hpp>

#include <vector>

#include "fuzz.h"
#include "npy_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static plait::fuzz::ScratchFile file;
  try {
    const plait::npy::NpyFile array(file.hold(data, size));
    std::vector<char> record(static_cast<size_t>(array.elements()) * plait::npy::bytes_of(array.element()));
    array.read(0, 1, record.data());
    array.read(array.count() - 1, 1, record.data());
  } catch (const plait::sdk::Error&) {
  }
  return 0;
}
