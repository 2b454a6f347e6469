/* Extension "plait.test_device.queue/1" of the test device (plait_device_ops.get_extension): work of one's
 * own on its streams. C11. */
#ifndef PLAIT_TEST_DEVICE_QUEUE_H
#define PLAIT_TEST_DEVICE_QUEUE_H
#include <plait/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_TEST_DEVICE_QUEUE "plait.test_device.queue/1"

typedef struct plait_test_device_queue {
  uint32_t struct_size;
  uint32_t max_bytes; /* of args */
  /* Queues run(device, args) on context->stream; args are copied. run is called later, in the stream's
   * thread; it returns NULL, or a static text that says why it failed, which the stream's next call reports.
   * Threads: [any] */
  int (*enqueue)(plait_context* context, const char* (*run)(void* device, const void* args), const void* args,
                 uint32_t bytes);
  /* Within run: where the device reads and writes memory that was handed out as `shown`; NULL for NULL and
   * for what is not this device's. */
  void* (*real)(void* device, const void* shown);
} plait_test_device_queue;

#ifdef __cplusplus
}
#endif
#endif
