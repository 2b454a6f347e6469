// What libraries keep with a stream, or with the device: see plait_stream_storage.
#pragma once
#include <plait/sdk.hpp>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace plait_cuda {

class Storage {
 public:
  ~Storage();

  // Threads: [any], one stream at a time.
  int get(plait_context* context, const char* key, int (*create)(plait_context* context, void** made),
          void (*destroy)(void* made), void** kept);
  // Destroys what is kept with `stream`, the last that was made first.
  void drop(void* stream) noexcept;

 private:
  struct Kept {
    std::string key;
    void* made;
    void (*destroy)(void* made);
  };
  std::mutex mutex_;
  std::map<void*, std::vector<Kept>> kept_;  // by stream; null: of the device
};

}  // namespace plait_cuda
