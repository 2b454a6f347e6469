// The names under which a job's losses and metrics are reported: every value has its own, in every report.
#pragma once
#include <string>
#include <vector>

#include "pipeline/errors.h"
#include "pipeline/job.h"
#include "registry/registry.h"

namespace plait::inline pipeline {

// Where the name of a loss or metric, or the block without one, was written.
struct ReportPlaces {
  std::vector<Place> losses, metrics;  // as many as the job's
  Place monitor;
};

// Gives every loss its name and every metric the names of its values. A written name is taken as it is (a
// metric of several values: "name.value"). Without one a loss is called as its type, and a metric's value as
// the type calls it and what its configuration adds: "accuracy", "accuracy_top5". Of several that would be
// called alike those that write their input are told apart by it, "accuracy:head2", and what is still alike
// by a number, "accuracy_2"; of the input's name "_" takes the place of what no report can show. A metric
// whose values shapes and classes decide has a name of its own by these rules, and the values are named below
// it, "class_accuracy.cat", once the shapes are known. Errors: written names that are empty, hold what no
// report can show, or are used twice ("loss" is the total of several losses), or lie below another metric's;
// a suffix that the border does not allow; a monitor that names no value.
void name_reports(const Registry& registry, const ReportPlaces& places, Job& job, Errors& errors);

// All names of a job that evaluate.monitor may say, metrics first, "loss" last but for the single losses; of
// a metric that names its values later its own name.
std::vector<ReportedValue> reported_values(const Job& job);

// What is said of a monitor that names no value, and what it might have named.
std::string not_reported(const std::string& monitor);
std::string instead_of(const std::string& monitor, const std::vector<std::string>& names);

}  // namespace plait::inline pipeline
