// A small registry of types that exist in tests only: enough of each kind for pipeline files to be about
// something.
#pragma once
#include <string>

#include "registry/registry.h"

namespace plait::inline pipeline {

// Layers: plait.convolution (filters required, kernel list, stride, padding enum, deep { spread, note }),
// plait.dense, plait.relu, plait.add (2 inputs or more), acme.swish (beta), acme.mask and
// acme.blank (share, scaled; they disturb by masking), acme.fancy-3d, acme.repeat and
// acme.input (count). Losses: plait.cross_entropy, plait.mean_squared. Metrics: plait.accuracy, plait.hits
// (top; value hits, suffix "_top5"), plait.errors (values error and worst), plait.parts (names them later).
// Optimizers: plait.sgd (rate at run time, momentum), plait.adam. Schedule: plait.cosine. Augmenters:
// plait.affine, plait.one_of (children), acme.overlay (path file, mask { path file, with a default }).
// Source: plait.idx (validate refuses images == labels). Reducer: plait.mean (default). Device: plait.cpu
// (default). Pretrainer: plait.greedy.
const Registry& test_registry();

// A complete job of these types.
std::string test_job();

}  // namespace plait::inline pipeline
