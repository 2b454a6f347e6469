// Checkpoints: as they are, and with the digest that they end with put right, so that what lies after it is
// met.
#include "train/checkpoint.h"

#include "base/sha256.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(plait::decode_checkpoint(bytes, "r.ckpt"));
  plait::Sha256 sha;
  sha.update(bytes);
  const plait::Sha256::Digest digest = sha.digest();
  bytes.append(digest.begin(), digest.end());
  const auto checkpoint = plait::decode_checkpoint(bytes, "r.ckpt");
  if (checkpoint) static_cast<void>(plait::encode(*checkpoint));
  return 0;
}
