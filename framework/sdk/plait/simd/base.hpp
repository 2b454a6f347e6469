// What follows is compiled for any processor, in namespace simd_base. No include guard; see ../simd.hpp.
#include <plait/simd.hpp>
#define PLAIT_SIMD simd_base
#include "vec_base.hpp"
