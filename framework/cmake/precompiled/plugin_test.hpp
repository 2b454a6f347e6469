// What nearly all tests of plugins read.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>
