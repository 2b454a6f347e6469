// The gradients of a step as one piece of recorded work, on a device that records: a step of a small network
// is otherwise some fifty calls that each take longer to queue than to do.
//
// What is recorded holds addresses, so there is a recording for each batch memory that steps are given. The
// first step on one is called (libraries make what they keep), the second is recorded, all others repeat it.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "graph/device.h"
#include "graph/node_list.h"
#include "plan/plan.h"

namespace plait::inline graph {

struct Batch;

// Threads: [one at a time]
class RecordedStep {
 public:
  // `queue` queues the work of all nodes but updates. Null where the device does not record, a node's work
  // differs from step to step, or extents vary.
  static std::unique_ptr<RecordedStep> create(const Plan& plan, Stream& stream, const NodeList& nodes,
                                              std::function<Status()> queue);
  ~RecordedStep();

  // Queues the work for this batch. Where recording fails, steps are called from then on.
  // Fails with: what `queue` or the device reports.
  Status run(const Batch& batch);

 private:
  struct Recording {
    std::vector<void*> parts;  // of the batch
    void* work = nullptr;      // null: not recorded yet
  };
  RecordedStep(Stream& stream, std::function<Status()> queue) : stream_(stream), queue_(std::move(queue)) {}
  Recording* find(const Batch& batch);
  bool record(Recording& recording);
  void give_up();

  Stream& stream_;
  const std::function<Status()> queue_;
  std::vector<Recording> recordings_;
  bool works_ = true;
};

}  // namespace plait::inline graph
