// Sources at work: one that is open, and the memory of a record.
#pragma once
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "verify/benches/samples.h"

namespace plait::inline verify {

// Of a source that does not know its length, which may be without end.
inline constexpr int64_t kMostRecordsTried = 20'000;

struct SourceBench {
  Instance instance;
  SourceDescription described;
};

// Tensors of one record. Threads: [one at a time]
class SourceRecord {
 public:
  SourceRecord(const SourceDescription& described, Poison poison)
      : lengths(2 * described.parts.size() * sizeof(int32_t), poison) {
    if (lengths.bytes() > 0) std::memset(lengths.data(), 0, lengths.bytes());
    for (const PartSpec& part : described.parts)
      parts.push_back(std::make_unique<SampleTensor>(part, poison));
    for (const auto& part : parts) out_.push_back(part->raw());
  }
  // As new, for another read.
  void forget(Poison poison) {
    for (const auto& part : parts) part->memory().poison(poison);
    lengths.poison(poison);
    if (lengths.bytes() > 0) std::memset(lengths.data(), 0, lengths.bytes());
  }
  // The code of PLAIT_ERROR_* in *error on failure.
  Status read(const Instance& source, int64_t index, int32_t* error = nullptr) {
    CallContext context;
    return read(source, index, context, error);
  }
  Status read(const Instance& source, int64_t index, CallContext& context, int32_t* error = nullptr) {
    plait_sample_call call{};
    call.struct_size = sizeof call;
    call.outputs = out_.data(), call.n_outputs = static_cast<uint32_t>(out_.size());
    call.lengths_out = lengths.as<int32_t>();
    call.second_lengths_out = lengths.as<int32_t>() + parts.size();
    call.training = 1;
    const Status status = context.call([&] {
      const int code = source.ops<plait_source_ops>()->read(source.self(), context.raw(), index, &call);
      if (error != nullptr) *error = code == PLAIT_OK ? 0 : context.error_code();
      return code;
    });
    return status ? Status() : status.at(fmt::format("read of record {}", index));
  }
  std::string overrun() const {
    for (const auto& part : parts)
      if (const auto text = part->memory().overrun(); !text.empty())
        return fmt::format("part \"{}\": {}", part->spec().name, text);
    if (const auto text = lengths.overrun(); !text.empty()) return "lengths: " + text;
    return "";
  }
  std::string difference(const SourceRecord& other) const {
    for (size_t i = 0; i < parts.size(); ++i) {
      const PartSpec& spec = parts[i]->spec();
      if (length(i) != other.length(i) || length(i, 1) != other.length(i, 1))
        return "length of part \"" + spec.name + "\"";
      const int32_t used[2] = {length(i), length(i, 1)};
      const int32_t* const extents[2] = {used, used + 1};
      if (!same_within(*parts[i], *other.parts[i], extents)) return "part \"" + spec.name + "\"";
    }
    return "";
  }
  // Along variable axis number `k`.
  int32_t length(size_t i, size_t k = 0) const { return lengths.as<int32_t>()[k * parts.size() + i]; }
  std::vector<std::unique_ptr<SampleTensor>> parts;
  Guarded lengths;

 private:
  std::vector<const plait_tensor*> out_;
};

}  // namespace plait::inline verify
