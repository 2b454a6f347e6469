#include "train/chain_stage.h"

#include "base/sha256.h"
#include "pipeline/load.h"

namespace plait::inline train {

std::vector<SinkArraySpec> ChainStage::sink_arrays(const std::vector<PartSpec>& made) {
  std::vector<SinkArraySpec> arrays;
  for (const PartSpec& one : made) arrays.push_back({one, {}});
  return arrays;
}

Status ChainStage::make_sink(const Registry& registry) {
  auto sink = Sink::create(registry, spec_.sink);
  if (!sink) return {sink.status().code(), error_at(spec_.sink.where, sink.status().message())};
  sink_ = std::move(sink).value();
  return {};
}

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

}  // namespace plait::inline train
