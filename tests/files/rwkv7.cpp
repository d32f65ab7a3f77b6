#include <rwkv/models/v7.hpp>

#include "runner.hpp"

using namespace rwkv;

static const reference::Runs<v7::Model<200, 32, 3, 16, 8, 12, 4, 16, 64>> v7_small(
    "v7::Model<200, 32, 3, 16, 8, 12, 4, 16, 64>");
static const reference::Runs<v7::Model<200, 24, 3, 8, 6, 10, 8, 12, 40>> v7v(
    "v7::Model<200, 24, 3, 8, 6, 10, 8, 12, 40>");
static const reference::Runs<v7::Model<112, 128, 3, 64, 4, 6, 2, 8, 32>> n64(
    "v7::Model<112, 128, 3, 64, 4, 6, 2, 8, 32>");
static const reference::Runs<v7::Model<288, 64, 3, 32, 6, 8, 4, 12, 32>> g7(
    "v7::Model<288, 64, 3, 32, 6, 8, 4, 12, 32>");
