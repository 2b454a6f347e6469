// Images and labels in IDX files, gzip or plain.
#include "idx_file.h"

#include <plait/sdk/error.hpp>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static plait::fuzz::ScratchFile file;
  try {
    static_cast<void>(plait::idx::read_idx(file.hold(data, size), "images", 1, 4).record_size());
  } catch (const plait::sdk::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
