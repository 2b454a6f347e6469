// The library: the device, and the types that run on it.
#include "accuracy.h"
#include "device.h"
#include "layers.h"
#include "samples.h"
#include "training.h"

using namespace plait::sdk;
using namespace plait::test_device;

PLAIT_PLUGIN("plait.test_device", "1.0.0", "Apache-2.0", device<TestDevice>(kId),
             implementation<Dense>("plait.dense", kId), implementation<Relu>("plait.relu", kId),
             implementation<Flatten>("plait.flatten", kId),
             implementation<CrossEntropy>("plait.softmax_cross_entropy", kId),
             implementation<Sgd>("plait.sgd", kId), implementation<Accuracy>("plait.accuracy", kId),
             implementation<Flip>("plait.flip", kId), implementation<Normalize>("plait.normalize", kId));
