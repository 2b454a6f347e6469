#include "train/chain_stage.h"

#include "base/sha256.h"

namespace plait {

Status ChainStage::write_output(const Around& around, std::string& sha256,
                                const std::function<Status(const Files::Writer&)>& content) {
  return around.files.write_pieces_atomically(around.path, [&](const Files::Writer& write) -> Status {
    Sha256 digest;
    PLAIT_TRY(content([&](std::string_view piece) {
      digest.update(piece);
      return write(piece);
    }));
    sha256 = Sha256::hex_of(digest.digest());
    return {};
  });
}

}  // namespace plait
