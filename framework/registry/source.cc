// describe_source.
#include <fmt/format.h>

#include "base/shown.h"
#include "registry/instance.h"

namespace plait {
namespace {

// Places of records go through arithmetic of 64 bits, with batches and epochs.
constexpr int64_t kMostRecords = int64_t{1} << 48;

Status check_info(const plait_source_info& info) {
  if (info.count < 0 || info.count > kMostRecords)
    return {Code::kInvalid, fmt::format("got {} records, wanted 0 to {}", info.count, kMostRecords)};
  if (!info.random_access && info.block < 1) {
    return {Code::kInvalid,
            fmt::format("got blocks of {} records, wanted >= 1 where records come in order", info.block)};
  }
  return {};
}

}  // namespace

Result<SourceDescription> describe_source(const Instance& source, CallContext& context) {
  const std::string id = source.entry().type->id;
  plait_source_info info{};
  info.struct_size = sizeof info;
  PartsCollector collector;
  const Status status = context.call([&] {
    return source.ops<plait_source_ops>()->describe(source.self(), context.raw(), &info, collector.raw());
  });
  auto parts = collector.take(status);
  if (!parts) return parts.status().at(id);
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

}  // namespace plait
