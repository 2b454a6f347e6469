// Weights in files.
#include "fuzz.h"
#include "train/weights_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tensors = plait::from_safetensors({reinterpret_cast<const char*>(data), size}, "w.safetensors");
  if (tensors) static_cast<void>(plait::weights_sha256(*tensors));
  return 0;
}
