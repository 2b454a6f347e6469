// What augmenters of sounds have in common. Optional; sdk.hpp does not include it.
// Threads: [any]
#pragma once
#include <plait/sdk.hpp>
#include <plait/steady.hpp>

#include <string>

namespace plait::sdk {

// The part of that name, f32 [samples], which may vary. Fails with: kInvalid for another type or shape.
inline PartSpec& sound_part(Parts& parts, const std::string& name) {
  PartSpec& sound = parts.part(name);
  if (sound.dtype != DType::f32 || sound.shape.size() != 1)
    throw Error("part \"", name, "\" is ", name_of(sound.dtype), std::span<const int64_t>(sound.shape),
                ", wanted a sound: f32[samples]");
  return sound;
}

// f32 [samples, ...], of which only the samples may vary. Fails with: the same.
inline PartSpec& sound_rows_part(Parts& parts, const std::string& name) {
  PartSpec& sound = parts.part(name);
  if (sound.dtype != DType::f32 || sound.shape.empty() || sound.variable_axis > 0)
    throw Error("part \"", name, "\" is ", name_of(sound.dtype), std::span<const int64_t>(sound.shape),
                sound.variable_axis > 0 ? " whose other axes vary" : "", ", wanted f32[samples, ...]");
  return sound;
}

// 10^(decibels / 20): what that gain multiplies values by.
inline double gain_factor(double decibels) { return steady::exp(decibels * 0.11512925464970229); }

}  // namespace plait::sdk
