#include <rwkv/models/v6.hpp>

#include "runner.hpp"

using namespace rwkv;

static const reference::Runs<v6::Model<200, 32, 3, 16, 8, 12, 64>> v6_small("v6::Model<200, 32, 3, 16, 8, 12, 64>");
static const reference::Runs<v6::Model<320, 32, 3, 16, 8, 12, 64>> g6("v6::Model<320, 32, 3, 16, 8, 12, 64>");
static const reference::Runs<v6::Model<288, 64, 3, 32, 6, 10, 32>> g6b("v6::Model<288, 64, 3, 32, 6, 10, 32>");
