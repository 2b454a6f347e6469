/* The extension "plait.task_stage/1" of the context that create of a task is called with: what the stage allows, for
 * tasks that can say beforehand that it is not enough.
 */
#ifndef PLAIT_TASK_STAGE_H
#define PLAIT_TASK_STAGE_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_EXTENSION_TASK_STAGE "plait.task_stage/1"

typedef struct plait_task_stage {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t records; /* of a pass, bad ones among them; 0: not known before another stage has run */
  int64_t passes;  /* the most that it may ask for */
} plait_task_stage;

#ifdef __cplusplus
}
#endif
#endif
