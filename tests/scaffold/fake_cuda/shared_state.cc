// The state of the stand-in that libraries of one process share: see cuda_runtime.h.
#include <cuda_runtime.h>

namespace fake_cuda {

thread_local cudaError_t last = cudaSuccess;
thread_local int current_card = 0;
thread_local int recordings = 0;
std::map<std::string, std::atomic<int>> calls;
Memory memory;

}  // namespace fake_cuda
