// Numbers as people read them.
#pragma once
#include <string>

#include "train/observer.h"

namespace plait::inline report {

std::string duration_text(double seconds);           // "0:42", "1:02:03"
std::string rate_text(double per_second);            // "24,310"
std::string values_text(const NamedValues& values);  // "accuracy 0.9012, loss 0.2713"
std::string loss_text(
    const RoundInfo& round);  // "loss 0.2713", of several "loss 0.2713 (a 0.2000, b 0.0713)"

}  // namespace plait::inline report
