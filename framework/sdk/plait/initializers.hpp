// What weights begin with, as a field of a layer: one list of words for all layers that offer the choice.
// Optional; sdk.hpp does not include it.
//
//   std::string weight_init = kDefaultInitializer;
//   ... d.field("weight_init", &Dense::weight_init).doc(kInitializerDoc).choices(kInitializers);
//   ... initialize_weight(s.weight("weight", {units, inputs}), weight_init, fan_in, fan_out);
//   ... initialize_bias(s.bias("bias", units), weight_init, fan_in, fan_out);
//
// fan_in, fan_out: how many inputs an output is a sum of, and outputs an input goes into. The words are those
// of plait_parameter_spec.init. What has numbers of its own (a constant, a deviation, a gain), and weights of
// layers without the field, a pipeline says in init { } of the layer. Threads: [any]
// Source: Glorot, Bengio 2010; He et al. 2015, equation 10; LeCun et al. 1998, section 4.6.
#pragma once
#include <plait/sdk.hpp>

#include <initializer_list>
#include <string>

namespace plait::sdk {

inline constexpr const char* kDefaultInitializer = "torch_uniform";
inline constexpr const char* kInitializerDoc =
    "initial weights; torch_uniform also draws the bias, the others leave it zero";
inline constexpr std::initializer_list<const char*> kInitializers = {
    kDefaultInitializer, "he_normal",     "he_uniform", "glorot_normal", "glorot_uniform",
    "lecun_normal",      "lecun_uniform", "orthogonal", "zeros"};

inline void initialize_weight(ParameterSpec& weight, const std::string& word, double fan_in, double fan_out) {
  weight.init(word.c_str()).fans(fan_in, fan_out);
}

// torch_uniform: over +-1 / sqrt(fan_in), as PyTorch's layers do. The others: zeros.
inline void initialize_bias(ParameterSpec& bias, const std::string& word, double fan_in, double fan_out) {
  bias.init(word == kDefaultInitializer ? kDefaultInitializer : "zeros").fans(fan_in, fan_out);
}

}  // namespace plait::sdk
