#include "pipeline/report_names.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "registry/context.h"

namespace plait::inline pipeline {
namespace {

constexpr const char* kTotal = "loss";

bool is_word(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// Columns, JSON keys and lines of progress hold the others as they are.
bool cannot_be_shown(unsigned char c) { return c < 0x20 || c == 0x7f || c == ',' || c == '"' || c == '\\'; }

class ReportNames {
 public:
  ReportNames(const Registry& registry, const ReportPlaces& places, Job& job, Errors& errors)
      : registry_(registry), places_(places), job_(job), errors_(errors) {}

  void run() {
    for (size_t i = 0; i < job_.losses.size(); ++i) loss(job_.losses[i], places_.losses[i]);
    for (size_t i = 0; i < job_.metrics.size(); ++i) metric(job_.metrics[i], places_.metrics[i]);
    std::map<std::string, int> alike;
    for (const auto& [name, place] : taken_) alike[name] += 1;
    for (const Open& open : open_) alike[*open.name] += 1;
    for (const Open& open : open_)
      if (alike[*open.name] > 1 && open.input_written) *open.name += ":" + input_text(*open.input);
    for (const Open& open : open_) number(*open.name);
    for (size_t i = 0; i < job_.metrics.size(); ++i) below(job_.metrics[i], places_.metrics[i]);
    if (!errors_.any()) monitor();  // what was left out is not missing
  }

 private:
  // A name that nobody wrote.
  struct Open {
    std::string* name;
    const InputRef* input;
    bool input_written;
  };

  // A layer may be called anything.
  static std::string input_text(const InputRef& input) {
    std::string text = input.layer;
    std::ranges::replace_if(text, cannot_be_shown, '_');
    return input.output == 0 ? text : text + ":" + std::to_string(input.output);
  }

  void loss(LossSpec& loss, const Place& place) {
    if (loss.name_written) return take(loss.name, place, job_.losses.size() > 1);
    if (!loss.plugin) return;
    loss.name = loss.plugin.entry->short_name();
    open_.push_back({&loss.name, &loss.inputs.front(), loss.input_written});
  }

  void metric(MetricSpec& metric, const Place& place) {
    metric.values.clear();
    if (!metric.plugin) return;
    const auto ops = registry_.ops<plait_metric_ops>(metric.plugin.id());
    if (!ops || *ops == nullptr) return;  // said where it is made
    metric.names_later = PLAIT_HAS(*ops, describe);
    if (metric.names_later) return later(metric, place);
    const std::string suffix = metric.name.empty() ? suffix_of(metric, *ops, place) : "";
    for (uint32_t v = 0; v < (*ops)->n_values; ++v) {
      const plait_metric_value& value = *(*ops)->values[v];
      metric.values.push_back({value.name + suffix, value.higher_is_better != 0});
      if (!metric.name.empty())
        metric.values.back().name = (*ops)->n_values == 1 ? metric.name : metric.name + "." + value.name;
    }
    for (ReportedValue& value : metric.values) {
      if (metric.name.empty()) {
        open_.push_back({&value.name, &metric.input, metric.input_written});
      } else {
        take(value.name, place, !job_.losses.empty());
      }
    }
  }

  void later(MetricSpec& metric, const Place& place) {
    metric.values.push_back({metric.name, false});
    std::string& name = metric.values.front().name;
    if (!metric.name.empty()) return take(name, place, !job_.losses.empty());
    name = metric.plugin.entry->short_name();
    open_.push_back({&name, &metric.input, metric.input_written});
  }

  // What such a metric will name is its own, whatever it is.
  void below(const MetricSpec& metric, const Place& place) {
    if (!metric.names_later || metric.values.empty()) return;
    const std::string begin = metric.values.front().name + ".";
    for (const auto& [name, where] : taken_)
      if (name.starts_with(begin))
        errors_.add(place,
                    "values of metric \"" + metric.values.front().name + "\" are reported below \"" + begin +
                        "\", and another one as \"" + name + "\"",
                    where.empty() ? "" : "the other is at " + where);
  }

  std::string suffix_of(const MetricSpec& metric, const plait_metric_ops* ops, const Place& place) {
    if (!PLAIT_HAS(ops, suffix)) return "";
    char text[64] = "";
    CallContext context;
    const Status said = context.call(
        [&] { return ops->suffix(context.raw(), metric.plugin.config.get(), text, sizeof text); });
    text[sizeof text - 1] = 0;
    const std::string type = "metric " + metric.plugin.entry->short_name();
    if (!said) errors_.add(place, type + ": " + said.message());
    if (said && is_word(text)) return text;
    if (said)
      errors_.add(place, type + " adds a suffix to its names that has more than letters, digits and \"_\"");
    return "";
  }

  void take(const std::string& name, const Place& place, bool total_is_other) {
    if (name.empty()) return;  // said where it is read
    if (std::ranges::any_of(name, cannot_be_shown))
      return errors_.add(place, "a name in reports has no quotes, commas or control characters");
    if (name == kTotal && total_is_other)
      return errors_.add(place, "\"loss\" is what the whole loss is called in reports");
    const auto [first, is_new] = taken_.emplace(name, location_of(place).text());
    if (!is_new)
      errors_.add(place, "two values would be reported as \"" + name + "\"",
                  "the first is at " + first->second);
  }

  void number(std::string& name) {
    const std::string base = name;
    for (int i = 2; name == kTotal || !taken_.emplace(name, "").second; ++i)
      name = base + "_" + std::to_string(i);
  }

  void monitor() {
    const std::string& wanted = job_.evaluate.monitor;
    if (wanted.empty()) return;
    std::vector<std::string> names;
    for (const ReportedValue& value : reported_values(job_)) names.push_back(value.name);
    if (std::ranges::count(names, wanted) > 0 || names.empty()) return;
    const bool may_come = std::ranges::any_of(job_.metrics, [&](const MetricSpec& metric) {
      return metric.names_later && !metric.values.empty() &&
             wanted.starts_with(metric.values.front().name + ".");
    });
    if (!may_come) errors_.add(places_.monitor, not_reported(wanted), instead_of(wanted, names));
  }

  const Registry& registry_;
  const ReportPlaces& places_;
  Job& job_;
  Errors& errors_;
  std::vector<Open> open_;
  std::map<std::string, std::string> taken_;  // name -> where it was written
};

}  // namespace

std::string not_reported(const std::string& monitor) {
  return "nothing is reported as \"" + monitor + "\", so it cannot be monitored";
}

std::string instead_of(const std::string& monitor, const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  const std::string near = did_you_mean(monitor, names);
  std::string all;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) all += (all.empty() ? "" : ", ") + names[i];
  if (names.size() > kMost) all += ", and " + std::to_string(names.size() - kMost) + " more";
  return (near.empty() ? "" : "did you mean \"" + near + "\"? ") + ("there are: " + all);
}

void name_reports(const Registry& registry, const ReportPlaces& places, Job& job, Errors& errors) {
  ReportNames(registry, places, job, errors).run();
}

std::vector<ReportedValue> reported_values(const Job& job) {
  std::vector<ReportedValue> values;
  for (const MetricSpec& metric : job.metrics)
    values.insert(values.end(), metric.values.begin(), metric.values.end());
  if (!job.losses.empty()) values.push_back({kTotal, false});
  for (const LossSpec& loss : job.losses)
    if (job.losses.size() > 1) values.push_back({loss.name, false});
  return values;
}

}  // namespace plait::inline pipeline
