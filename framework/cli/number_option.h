// Options whose value is a number within a range: what is none, or lies outside, is refused with what was got
// and what was wanted, the range told.
#pragma once
#include <boost/program_options.hpp>
#include <cstdint>
#include <string>

namespace plait::inline cli {

// More threads than any host has cores, and few enough to be asked for.
inline constexpr int kMostThreads = 65536;
// Steps of a run, which are counted as doubles too.
inline constexpr int64_t kMostSteps = int64_t{1} << 53;
// Seconds of a limit: 31 years.
inline constexpr double kMostSeconds = 1e9;

// A whole number from `least` to `most`.
// Throws while the command line is parsed: a boost::program_options::error "--threads: got \"-1\", wanted a
// whole number from 0 to 65536". Threads: [setup only].
boost::program_options::typed_value<int>* whole_number(int least, int most);
boost::program_options::typed_value<int64_t>* whole_number(int64_t least, int64_t most);
boost::program_options::typed_value<uint64_t>* any_seed();
// A number from `least` to `most`, or above `bound` and at most `most`.
boost::program_options::typed_value<double>* number_from(double least, double most);
boost::program_options::typed_value<double>* number_above(double bound, double most);

}  // namespace plait::inline cli
