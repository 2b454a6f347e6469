// What a layer's new instance will run, told to the host from the Kernel's constructor: `plait check
// --kernels` shows it.
//
//   KernelNotes notes(c);
//   notes.forward("own:direct"), notes.backward("own:direct");
//   notes.chose("implementation", "own");  // where the field was "auto": see plait_kernel_notes.choice
//
// A host that does not ask is told nothing. Threads: [setup only]
#pragma once
#include <plait/kernel_notes.h>

#include <plait/sdk.hpp>

namespace plait::sdk {

class KernelNotes {
 public:
  explicit KernelNotes(const Context& c)
      : notes_(c.extension<plait_kernel_notes>(PLAIT_EXTENSION_KERNEL_NOTES)) {}

  // One line for each kernel of the phase, in the order in which they run.
  void forward(std::string_view text) const { kernel(PLAIT_PHASE_FORWARD, text); }
  void backward(std::string_view text) const { kernel(PLAIT_PHASE_BACKWARD, text); }
  // Throws Error where the host knows no such value of the field.
  void chose(const char* field, const char* value) const {
    if (notes_ && notes_->choice(notes_, field, value) != PLAIT_OK)
      throw Error("the choice ", value, " of ", field, " is not acceptable to the host");
  }

 private:
  void kernel(uint32_t phase, std::string_view text) const {
    if (notes_) notes_->kernel(notes_, phase, {text.data(), text.size()});
  }
  const plait_kernel_notes* notes_;
};

}  // namespace plait::sdk
