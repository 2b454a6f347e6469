// Which tensors of a weights file go where in a network, and why the others do not.
#pragma once
#include <string>
#include <vector>

#include "plan/network.h"
#include "train/safetensors.h"
#include "train/weights_file.h"

namespace plait::inline train {

// A tensor of the network that a file does not give.
struct MissingTensor {
  enum class Why { kAbsent, kShape, kType, kValue };
  std::string name;
  Why why = Why::kAbsent;
  std::string text;  // "[10, 16] in the file, wanted [16, 10]"
};

// A tensor is taken for the parameter or buffer of its name; where the file has none of that name, one that
// PyTorch calls otherwise ("bn.running_mean" for "bn.mean", "bn.running_var" for "bn.variance") is.
struct TakenWeights {
  std::string file;
  std::string sha256{};            // of the file's bytes; "": not told
  NamedTensors tensors;            // by the network's names and in its order
  std::vector<std::string> notes;  // "bn.mean from bn.running_mean", "c1.weight converted from F16"
  std::vector<MissingTensor> missing;
  std::vector<std::string> unused;  // "bn.num_batches_tracked (I64 [])": nobody needs them
  size_t wanted = 0;                // tensors of the network

  // The first line is how many; then a line for each that was not taken, or not as it was. At most so many.
  std::string text(size_t most_lines = 20) const;
  // An object: file, sha256, taken, notes, not_taken [{name, why}], passed_over: the first 1000 names, and
  // how many more.
  std::string json() const;
  // kInvalid naming the tensors that have another shape or type, or numbers that are none; with `partial` the
  // last only. Absent ones are no failure, unless all are.
  Status check(bool partial) const;
  // Values for every parameter of the network, in its order. Fails with: kInvalid naming what is missing.
  Result<std::vector<std::vector<float>>> all() const;
};

// `file` names the file in messages.
TakenWeights take_weights(const StoredTensors& stored, const Network& network, const std::string& file);

}  // namespace plait::inline train
