// Weights in files: tensors of any type, and those that this program writes.
#include "train/safetensors.h"
#include "fuzz.h"
#include "train/weights_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto stored = plait::read_safetensors(bytes, "w.safetensors")) {
    for (const plait::StoredTensor& tensor : stored->tensors) {
      static_cast<void>(plait::f32_values(tensor));
      static_cast<void>(plait::short_name(tensor.name));
    }
  }
  const auto tensors = plait::from_safetensors(bytes, "w.safetensors");
  if (tensors) static_cast<void>(plait::weights_sha256(*tensors));
  return 0;
}
