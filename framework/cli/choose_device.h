// The device that a job runs on, where file or command line leave the choice to the host, and what is loaded
// for it.
#pragma once
#include <functional>

#include "pipeline/load.h"
#include "registry/registry.h"

namespace plait::inline cli {

// The change of --device NAME: a short name or an id.
JobChange device_change(const std::string& name);

// Loads the libraries that wait for the job's device. A job whose device stands for the first that is found
// (PLAIT_TYPE_FIRST_FOUND) is read again, by `read` with one more change, for the first preferred device that
// opens here, else for the default; a line on standard error says which, and why no other.
// Fails with: what `read` reports.
Status choose_device(Registry& registry, Job& job,
                     const std::function<Result<Job>(const JobChange& change)>& read);

}  // namespace plait::inline cli
