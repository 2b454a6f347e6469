// A CUDA card: which one a job takes, and whether it can be used here.
#pragma once
#include <plait/cuda.hpp>

#include <string>

namespace plait_cuda {

struct Card {
  int number = 0;  // as the driver counts them, from 0
  cudaDeviceProp properties{};
  std::string name() const { return plait::sdk::text("card ", number, " (", properties.name, ")"); }
};

// The card of number `index`; -1: that of the rank's place on its host, so that ranks share the cards out
// evenly. Fails with: kUnsupported when there is no driver, one that is older than this library's runtime, no
// card, none of that number, or one that the library holds no code for.
Card take_card(int index);

// "name: value" lines of what decides the bits of results: driver, runtime, models of the cards.
std::string facts();

}  // namespace plait_cuda
