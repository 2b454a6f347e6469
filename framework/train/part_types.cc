#include "train/part_types.h"

#include "graph/sample_chain.h"
#include "registry/parts.h"

namespace plait::inline train {
namespace {

// The first of augment that changes the type of the part.
const ChainOperator* type_changer(const SampleChain& chain, const std::string& name) {
  const std::vector<PartSpec>* before = &chain.source_parts();
  for (size_t i = 0; i < chain.augmenters(); ++i) {
    const ChainOperator& op = chain.operators()[i];
    const PartSpec *const in = find_part(*before, name), *const out = find_part(op.parts, name);
    if (in != nullptr && out != nullptr && in->dtype != out->dtype && in->shape == out->shape) return &op;
    before = &op.parts;
  }
  return nullptr;
}

}  // namespace

Status check_part_types(const SampleReader& training, const SampleReader& other, const std::string& what) {
  for (const PartSpec& part : training.chain().last_parts()) {
    const PartSpec* const beside = find_part(other.chain().last_parts(), part.name);
    if (beside == nullptr || beside->dtype == part.dtype) continue;
    if (const ChainOperator* const op = type_changer(training.chain(), part.name))
      return {Code::kInvalid,
              op->place + ": is written in augment, which " + what + " records do not go through: got " +
                  part_text(part) + " to train on and " + part_text(*beside) + " of " + what +
                  " records, wanted the same type; what all records need belongs in preprocess"};
  }
  return {};
}

}  // namespace plait::inline train
