/* The extension "plait.pretrain_task/1" of the context that next_stage of a pretrainer is called with: a stage that
 * runs a task over records in place of training, and gives what it finds to layers of the network (filters that
 * k-means finds become a convolution's weights).
 *
 * begin and copy are the builder's: layers that are copied make the records, as in evaluation. Such a stage has no
 * loss, optimizer or length. Threads: [setup], within next_stage. Every function answers PLAIT_OK, or another status
 * when the host cannot do it, which then says why.
 */
#ifndef PLAIT_PRETRAIN_TASK_H
#define PLAIT_PRETRAIN_TASK_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_EXTENSION_PRETRAIN_TASK "plait.pretrain_task/1"

typedef struct plait_pretrain_task {
  uint32_t struct_size;
  uint32_t reserved;
  /* An augmenter between the records and the task, after those that were named before. */
  int (*prepare)(const plait_stage_builder* builder, const plait_block* augmenter);
  /* Once. input: a layer that was copied in this stage, whose output is a part of that name of the records, a row for
   * each training record; or a part of the samples, with nothing copied: then the records are the samples themselves.
   * The task fills accumulators. */
  int (*task)(const plait_stage_builder* builder, const char* input, const plait_block* task);
  /* When the task has run, `parameter` of the network's `layer` gets its array of this name; it fits as one of
   * init { } does: as many rows, as many numbers in each, rows of a convolution laid out as samples are. */
  int (*take)(const plait_stage_builder* builder, const char* layer, const char* parameter, const char* array);
} plait_pretrain_task;

#ifdef __cplusplus
}
#endif
#endif
