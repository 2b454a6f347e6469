// From the types of samples to those of batches: whole numbers that name things (i32, i64) stay, everything
// else becomes f32.
#pragma once
#include <plait/abi.h>

#include <cstdint>

#include "registry/parts.h"

namespace plait::inline graph {

uint64_t element_count(const PartSpec& part);

// PLAIT_I32, PLAIT_I64 or PLAIT_F32.
uint32_t batch_dtype(uint32_t dtype);
// `count` elements of type `dtype` as batch_dtype(dtype). u8 keeps its value: 0 to 255.
void cast_to_batch(uint32_t dtype, const void* from, void* to, uint64_t count);

// Writes zeros past `extents` along the part's variable axes, null: all of it is used; `data` holds elements
// of `bytes` each.
void zero_past(const PartSpec& part, const int32_t* const extents[2], uint64_t bytes, void* data);

}  // namespace plait::inline graph
