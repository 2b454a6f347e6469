// An update of all trained parameters in host memory, after a reduce.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph/arena.h"
#include "graph/optimizer.h"
#include "graph/plain_copy.h"
#include "plan/plan.h"
#include "train/host_arena.h"

namespace plait::inline train {

// An elementwise optimizer's work is cut into pieces for several threads; the pieces, and so the bits, do not
// depend on how many. What an optimizer wants to observe it sees first, in the order of the parameters.
// Threads: [one at a time]
class HostUpdate {
 public:
  // Borrows both. `rates`: whose multipliers act; an outer optimizer follows steps in which they have acted.
  // Threads: [setup only]
  enum class Rates { kOfParameters, kSame };
  HostUpdate(const OptimizerInstance& optimizer, const Plan& plan, Rates rates, int threads);

  // Makes the gradients of elements [first, first + count) of the arena, on the thread that updates them.
  using Before = std::function<void(uint64_t first, uint64_t count)>;

  // `runtime` holds the optimizer's runtime fields at this step; `loss`: the mean whose gradients these are,
  // NaN: none. Does not allocate unless it fails.
  // Shapes: gradients [plan.trained_elements()]
  // Fails with: what the plugin reports, naming the parameter. The update is then half done.
  Status run(int64_t step, std::span<const double> runtime, double loss, const float* gradients,
             HostArena& weights, std::vector<HostArena>& slots, const Before& before = {});

 private:
  // Elements [offset, offset + count) of the arena, of one parameter.
  struct Piece {
    size_t parameter = 0;
    uint64_t offset = 0, count = 0;
    std::vector<double> runtime;  // with the parameter's own rate
    std::vector<float*> slots;
  };
  plait_optimizer_call call_for(Piece& piece) const;
  template <class Make>
  Status make_call(Piece& piece, bool writes, Make&& make);
  void set_runtime(Piece& piece) const;
  Status failed(const Piece& piece, CallContext& context, int code) const;
  Status observe();
  Status step_all();
  static int step_pieces(void* user, uint64_t begin, uint64_t end);

  const OptimizerInstance& optimizer_;
  const Plan& plan_;
  Rates rates_;
  std::vector<Piece> pieces_;
  PlainCopy copy_;                // of an optimizer that wants plain order, which has one lane
  std::unique_ptr<Lanes> lanes_;  // null: the calling thread alone

  // Of the update under way.
  int64_t step_ = 0;
  double observed_ = 0, loss_ = 0;
  std::span<const double> runtime_;
  const float* gradients_ = nullptr;
  const Before* before_ = nullptr;
  bool has_gradients_ = false;  // of all pieces
  HostArena* weights_ = nullptr;
  std::vector<HostArena>* slots_ = nullptr;
  std::atomic<bool> has_failed_ = false;
  Status failure_;
};

}  // namespace plait::inline train
