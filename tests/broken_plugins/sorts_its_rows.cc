// Sorts the rows that it is given to read.
// Caught by: memory
// Words: writes its rows
#include <plait/sdk.hpp>

#include <algorithm>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr MetricValue values[] = {{"middle", MetricValue::kHigher, "median of the predictions"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t row_size(Spec, Spec) const { return 1; }
  void update_rows(Context&, Tensor prediction, Tensor, RowsOut& rows) const {
    for (const float x : prediction.f32()) rows.append({x});
  }
  void finish_rows(std::span<const double>, RowsIn rows, std::span<double> answer) const {
    auto* const all = const_cast<double*>(rows.numbers().data());
    std::sort(all, all + rows.size());
    answer[0] = rows.size() > 0 ? all[rows.size() / 2] : 0;
  }
};

}  // namespace

PLAIT_PLUGIN("broken.sorts_its_rows", "1.0.0", "Apache-2.0", metric<Broken>("broken.sorts_its_rows_metric"));
