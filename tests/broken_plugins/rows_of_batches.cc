// Appends one row for a batch, whatever it holds: blocks of another size would give another result.
// Caught by: rows
// Words: appends 1 rows for a batch, and \d+ for its parts
#include <plait/sdk.hpp>

namespace {
using namespace plait::sdk;

struct Broken {
  static constexpr MetricValue values[] = {{"mean", MetricValue::kHigher, "mean of the batches' means"}};
  static void describe(Describe<Broken>& d) { d.doc("broken on purpose"); }
  size_t row_size(Spec, Spec) const { return 1; }
  void update_rows(Context&, Tensor prediction, Tensor, RowsOut& rows) const {
    double sum = 0;
    for (const float x : prediction.f32()) sum += x;
    rows.append({sum / static_cast<double>(prediction.size())});
  }
  void finish_rows(std::span<const double>, RowsIn rows, std::span<double> answer) const {
    answer[0] = 0;
    for (size_t i = 0; i < rows.size(); ++i) answer[0] += rows[i][0] / static_cast<double>(rows.size());
  }
};

}  // namespace

PLAIT_PLUGIN("broken.rows_of_batches", "1.0.0", "Apache-2.0",
             metric<Broken>("broken.rows_of_batches_metric"));
