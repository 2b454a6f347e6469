// What an evaluation of a network reports: the names of its values, once shapes and classes are known.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graph/sample_reader.h"
#include "plan/network.h"
#include "registry/registry.h"

namespace plait::inline train {

// Of a job's training source.
struct SourceClasses {
  uint32_t count = 0;              // 0: it does not say
  std::vector<std::string> names;  // count, or none
};
SourceClasses classes_of(const SampleReader& reader);

inline constexpr size_t kMostMetricValues = 4096;

// "metric "accuracy:head2" (lenet.txtpb:31:3)"
std::string metric_place(const HeadInfo& metric);

// The values of a metric of the network, in its order. One that names them later calls them "NAME.value", and
// one without a name "NAME". Fails with: what the plugin reports; kPlugin for names that no report can show,
// that come twice, or for none or too many of them.
Result<std::vector<ReportedValue>> metric_values(const Registry& registry, const Network& network,
                                                 const HeadInfo& metric, const SourceClasses& classes);

// All that an evaluation gives, in its order: metrics, "loss" where the job has one, then of several losses
// each. Fails with: as metric_values, naming the metric.
Result<std::vector<ReportedValue>> evaluation_values(const Registry& registry, const Network& network,
                                                     const SourceClasses& classes);

// Whether the job's metrics keep rows of an evaluation.
bool keeps_rows(const Registry& registry, const Network& network);

}  // namespace plait::inline train
