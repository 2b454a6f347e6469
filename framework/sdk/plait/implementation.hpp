// The field `implementation` of layers that have loops of their own and oneDNN's. Optional; sdk.hpp does not
// include it.
//
//   Implementation implementation = Implementation::kAuto;
//   describe_implementation(d, &Elu::implementation);  // in describe
//
// Threads: [any]
#pragma once
#include <initializer_list>

#include <plait/sdk.hpp>

namespace plait::sdk {

enum class Implementation { kAuto, kOneDnn, kOwn };
inline constexpr std::initializer_list<const char*> kImplementations = {"auto", "onednn", "own"};

template <class Layer, class Owner>
void describe_implementation(Describe<Layer>& d, Implementation Owner::*field,
                             const char* doc = "whose loops; auto: own, which a layer before can absorb") {
  d.field("implementation", field).doc(doc).choices(kImplementations);
}

}  // namespace plait::sdk
