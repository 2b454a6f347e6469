/* Layers in precision bf16: two flags of plait_type beside those of abi.h.
 *
 * A job that is trained in bf16 has activations and their gradients in bf16, whose upper 16 bits are those of an
 * f32. Parameters, their gradients, buffers and slots are f32, whatever a layer computes with; losses and metrics are
 * given f32. A layer without these flags reads and writes f32, and the host converts, rounding to the nearest, ties to
 * even, NaN kept.
 *
 * A layer with one of them is asked (infer) with its f32 inputs as bf16. Where it fails for these, it is asked with
 * f32: so its configuration and shapes may decide, but not the batch. Where it answers, create, forward and backward
 * have the inputs in bf16, and outputs in the type that it has declared; a gradient has the type of its tensor.
 */
#ifndef PLAIT_BF16_H
#define PLAIT_BF16_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* Computes in bf16 where an input is bf16 already: what moves or maps numbers, and would gain nothing from
   * converting them. */
  PLAIT_TYPE_TAKES_BF16 = 1 << 16,
  /* Computes in bf16, and gains more than the conversion of its inputs costs: products of matrices. */
  PLAIT_TYPE_WANTS_BF16 = 1 << 17
};

#ifdef __cplusplus
}
#endif
#endif
