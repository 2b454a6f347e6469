/* The table of kinds: every kind of type that there is, in the order in which people list them.
 *
 * X(kind, Name, ops): as plait_type.kind has it; the name of its tag in the SDK; its table in abi.h
 *
 * Host, SDK, CMake package and tests read it. What else a kind needs: framework/registry/kinds.md.
 */
#ifndef PLAIT_KINDS_H
#define PLAIT_KINDS_H

#define PLAIT_KINDS(X)                            \
  X(layer, Layer, plait_layer_ops)                \
  X(loss, Loss, plait_loss_ops)                   \
  X(metric, Metric, plait_metric_ops)             \
  X(optimizer, Optimizer, plait_optimizer_ops)    \
  X(schedule, Schedule, plait_schedule_ops)       \
  X(pretrainer, Pretrainer, plait_pretrainer_ops) \
  X(augmenter, Augmenter, plait_augmenter_ops)    \
  X(source, Source, plait_source_ops)             \
  X(task, Task, plait_task_ops)                   \
  X(combiner, Combiner, plait_combiner_ops)       \
  X(reducer, Reducer, plait_reducer_ops)          \
  X(sink, Sink, plait_sink_ops)                   \
  X(device, Device, plait_device_ops)

#endif
