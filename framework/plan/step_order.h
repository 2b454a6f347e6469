// What of a step surely comes before what, whichever thread is faster: the order that follows from who reads
// what, forward and backward. With it blocks of memory are shared although independent branches run side by
// side: sharing then never makes one wait for the other.
//
// Times are those of one thread: forward of step i at i, losses at S, backward of step i at 2 S - i, the end
// at 2 S + 1.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/memory.h"

namespace plait::inline plan {

// Call the adders, then close, then precedes. Threads: [setup only]
class StepOrder {
 public:
  StepOrder(size_t steps, size_t losses);

  void reads(size_t step, size_t producer) { add(forward(producer), forward(step)); }
  void loss_reads(size_t loss, size_t producer) { add(forward(producer), loss_node(loss)); }
  void loss_gives(size_t loss, size_t producer) { add(loss_node(loss), backward(producer)); }
  // The gradient of what the step read.
  void gives(size_t step, size_t producer) { add(backward(step), backward(producer)); }
  void close();

  // Whether all that happens at time `a` is over when what happens at `b` begins. Nothing follows the end.
  bool precedes(int a, int b) const;
  // Whether the two blocks may not share memory.
  bool alive_together(const MemoryBlock& a, const MemoryBlock& b) const;

 private:
  size_t forward(size_t step) const { return step; }
  size_t loss_node(size_t loss) const { return steps_ + loss; }
  size_t backward(size_t step) const { return steps_ + losses_ + step; }
  void add(size_t from, size_t to) { next_[from].push_back(to); }
  bool reaches(size_t from, size_t to) const { return (reach_[from][to / 64] >> (to % 64) & 1) != 0; }
  // Nodes [first, last) of a time: the losses together, or one.
  std::pair<size_t, size_t> nodes_at(int time) const;
  bool all_precede(const std::vector<int>& a, const std::vector<int>& b) const;
  bool apart(const std::vector<int>& a, const std::vector<int>& b) const;

  size_t steps_, losses_;
  std::vector<std::vector<size_t>> next_;
  std::vector<std::vector<uint64_t>> reach_;  // bits
};

}  // namespace plait::inline plan
