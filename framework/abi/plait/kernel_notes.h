/* The extension "plait.kernel_notes/1" of the context that create of a layer is called with: what the new instance will
 * run, and what a field that leaves the choice to the layer has come to.
 *
 * Texts are for people and are copied. Threads: [setup], within create. An older host answers nothing.
 */
#ifndef PLAIT_KERNEL_NOTES_H
#define PLAIT_KERNEL_NOTES_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_EXTENSION_KERNEL_NOTES "plait.kernel_notes/1"

enum { PLAIT_PHASE_FORWARD = 1, PLAIT_PHASE_BACKWARD = 2 };

typedef struct plait_kernel_notes {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;
  /* One line for each kernel of a phase, in the order in which they run. It begins with the library and the kernel's
   * name there ("onednn:brgconv:avx512_core ..."), of loops of the plugin's own with "own:". Where a layer says nothing
   * of a phase, the host takes its loops for its own. */
  void (*kernel)(const struct plait_kernel_notes* notes, uint32_t phase, plait_str text);
  /* `value` is what this instance took where ENUM `field` of its configuration left it the choice. The host writes it
   * into the job that a run keeps, in place of what left it open: so it follows from the configuration and the inputs'
   * shapes without N, and is the same in training and evaluation and on every machine. Answers PLAIT_FAILED when the
   * field has no such value. */
  int (*choice)(const struct plait_kernel_notes* notes, const char* field, const char* value);
} plait_kernel_notes;

#ifdef __cplusplus
}
#endif
#endif
