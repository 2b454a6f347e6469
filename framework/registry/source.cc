// describe_source.
#include <fmt/format.h>

#include "base/shown.h"
#include "registry/instance.h"

namespace plait::inline registry {
namespace {

Status check_info(const plait_source_info& info) {
  if (info.count < 0 || info.count > kMostRecords)
    return {Code::kInvalid, fmt::format("got {} records, wanted 0 to {}", info.count, kMostRecords)};
  if (!info.random_access && info.block < 1) {
    return {Code::kInvalid,
            fmt::format("got blocks of {} records, wanted >= 1 where records come in order", info.block)};
  }
  return {};
}

// Into info.count, where it is not known.
Status count_records(const Instance& source, CallContext& context, int64_t most, plait_source_info& info) {
  const auto* const ops = source.ops<plait_source_ops>();
  if (info.count != -1) return {};
  if (!PLAIT_HAS(ops, count_up_to))
    return {Code::kInvalid, "got records of an unknown number (-1), wanted count_up_to beside it"};
  PLAIT_TRY(context.call([&] { return ops->count_up_to(source.self(), context.raw(), most, &info.count); })
                .at("count_up_to"));
  if (info.count == most && most == kMostRecords)
    return {Code::kInvalid,
            "goes on without end: wanted a source that ends, or, to train on, train { steps: ... } "
            "without a validation fraction"};
  if (info.count >= 0 && info.count <= most) return {};
  return {Code::kInvalid,
          fmt::format("count_up_to({}) says {} records, wanted 0 to {}", most, info.count, most)};
}

}  // namespace

Result<SourceDescription> describe_source(const Instance& source, CallContext& context, int64_t most) {
  const std::string id = source.entry().type->id;
  plait_source_info info{};
  info.struct_size = sizeof info;
  PartsCollector collector;
  const Status status = context.call([&] {
    return source.ops<plait_source_ops>()->describe(source.self(), context.raw(), &info, collector.raw());
  });
  auto parts = collector.take(status);
  if (!parts) return parts.status().at(id);
  PLAIT_TRY(count_records(source, context, most, info).at(id));
  PLAIT_TRY(check_info(info).at(id));
  SourceDescription description{std::move(*parts),
                                info.random_access != 0,
                                info.blocking != 0,
                                info.count,
                                info.block,
                                info.n_classes,
                                {}};
  for (uint32_t i = 0; info.class_names != nullptr && i < info.n_classes; ++i) {
    const char* name = info.class_names[i] ? info.class_names[i] : "";
    PLAIT_TRY(check_name(name, "class").at(id));
    description.class_names.emplace_back(name);
  }
  return description;
}

}  // namespace plait::inline registry
