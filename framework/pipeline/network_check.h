// References between the layers of a job.
#pragma once
#include <string>
#include <vector>

#include "pipeline/errors.h"
#include "pipeline/job.h"

namespace plait::inline pipeline {

// Where the name and the inputs of a layer are written.
struct LayerPlaces {
  Place layer;
  Place name;
  Place shares;
  std::vector<Place> inputs;
  bool broken = false;  // something of it was left out
};

// "c1", "split:1". Errors: an empty name, an output that is no number.
InputRef parse_input(const std::string& text, const Place& place, Errors& errors);

// Gives layers without a name one, and those without an input the layer before (the first: "", an open part).
// Errors: two layers of one name, names with ":", numbers of inputs that a type does not take, cycles
// (named), shares that name no layer, another type, or a layer that shares itself.
void check_network(std::vector<LayerSpec>& layers, const std::vector<LayerPlaces>& places, Errors& errors);

}  // namespace plait::inline pipeline
