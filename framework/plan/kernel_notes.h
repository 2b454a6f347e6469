// The host's side of plait/kernel_notes.h: what a layer says of its kernels while it is made.
#pragma once
#include <plait/kernel_notes.h>

#include <string>

#include "plan/plan.h"

namespace plait::inline plan {

// Threads: [setup only]
class KernelNotes {
 public:
  // Of a layer of type `entry`, outlives this, on `device_id`.
  KernelNotes(const TypeEntry& entry, const std::string& device_id);
  KernelNotes(const KernelNotes&) = delete;
  KernelNotes& operator=(const KernelNotes&) = delete;

  const plait_kernel_notes* raw() const { return &table_; }
  // What was told; a phase of which nothing was is "own:type", or "vendor.device:type" away from the host.
  Kernels take();

 private:
  static KernelNotes& self(const plait_kernel_notes* notes);
  static void kernel(const plait_kernel_notes* notes, uint32_t phase, plait_str text);
  static int choice(const plait_kernel_notes* notes, const char* field, const char* value);

  const TypeEntry& entry_;
  const std::string silent_;  // of a phase of which nothing is told
  Kernels told_;
  plait_kernel_notes table_{};
};

}  // namespace plait::inline plan
