// The three ways to compress 64-byte blocks into a SHA-256 state; sha256.h chooses.
#pragma once
#include <cstddef>
#include <cstdint>

namespace plait::inline base::sha256 {

void compress_portable(uint32_t* state, const uint8_t* blocks, size_t n_blocks);
// With rotations that leave flags and sources alone (BMI2), twice as fast. Only where has_bit_instructions().
void compress_with_bit_instructions(uint32_t* state, const uint8_t* blocks, size_t n_blocks);
bool has_bit_instructions();
// With those made for it. Only where has_instructions() says so.
void compress_instructions(uint32_t* state, const uint8_t* blocks, size_t n_blocks);
bool has_instructions();

}  // namespace plait::inline base::sha256
