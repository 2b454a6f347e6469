/* The extension "plait.verify/1" of a plugin: what `plait verify` cannot guess.
 *
 * The kit draws configurations from the ranges of the fields and tries usual shapes. Only a type whose valid
 * configurations or inputs are rare needs an example: plait_plugin.get_extension(PLAIT_EXTENSION_VERIFY) then
 * answers a plait_verify_hints. Everything is static.
 */
#ifndef PLAIT_VERIFY_H
#define PLAIT_VERIFY_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_EXTENSION_VERIFY "plait.verify/1"

enum {
  PLAIT_VERIFY_COUPLES_SAMPLES = 1,    /* samples of a batch see each other, in evaluation too */
  PLAIT_VERIFY_SURROGATE_GRADIENT = 2, /* backward is not the derivative of forward (straight-through) */
  PLAIT_VERIFY_LABELS = 4,             /* values of integer inputs are below the last extent of input 0 */
  PLAIT_VERIFY_COUPLES_IN_TRAINING =
      8 /* samples of a batch see each other in training (a batch is normalized) */
};

/* What a field that names a stage finds: the stage `name` with these arrays. */
typedef struct plait_verify_stage {
  uint32_t struct_size;
  uint32_t n_arrays;
  const char* name;
  const plait_tensor* const* arrays;
} plait_verify_stage;

typedef struct plait_verify_example {
  uint32_t struct_size;
  uint32_t flags; /* PLAIT_VERIFY_* */
  const char* type_id;
  const char* fields; /* as between the braces in a pipeline file; "" takes the defaults */
  uint32_t
      n_inputs; /* layers: inputs; losses and metrics: prediction and target; augmenters: parts; others: 0 */
  uint32_t integer_bound; /* integer inputs are drawn below this; 0: below 2 */
  const plait_tensor_spec* const* inputs;
  const plait_verify_stage* const* stages; /* that the fields name */
  uint32_t n_stages;
  uint32_t reserved;
  const char* kind; /* of the type; NULL: of every type of this id */
} plait_verify_example;

typedef struct plait_verify_hints {
  uint32_t struct_size;
  uint32_t n_examples;
  const plait_verify_example* const* examples;
  /* Optional: writes the files that the examples read into the working folder, which is empty. */
  int (*prepare)(void);
} plait_verify_hints;

#ifdef __cplusplus
}
#endif
#endif
