// Layers that begin with arrays of stages: layer { ... init { from: "filters" } }.
#pragma once
#include "pipeline/job.h"
#include "plan/network.h"
#include "train/weights_file.h"

namespace plait::inline train {

// An array fits a parameter of as many elements and the same first extent. A parameter of more than two axes
// [O, I, extents...], as a convolution's, takes a row for each O that is laid out as a sample is: extents...,
// I last; it may be flat.
// Fails with: kInvalid naming both places where a layer has no such parameter, a stage no such array, or they
// do not fit; where what the layer's init draws is none that the parameter may have.
Status check_inits(const Job& job, const Network& network);

// The values, once the stages have run. Fails with: as check_inits; kNumeric for a number that the parameter
// may not have.
Result<NamedTensors> init_tensors(const Job& job, const Network& network);

}  // namespace plait::inline train
