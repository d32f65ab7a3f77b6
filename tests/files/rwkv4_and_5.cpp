#include <rwkv/models/v4.hpp>
#include <rwkv/models/v5.hpp>

#include "runner.hpp"

using namespace rwkv;

static const reference::Runs<v4::Model<320, 32, 3, 96>> v4("v4::Model<320, 32, 3, 96>");
static const reference::Runs<v5::Model<200, 24, 3, 12, v5::Kind::v5_0, 40>> v5_0(
    "v5::Model<200, 24, 3, 12, v5::Kind::v5_0, 40>");
static const reference::Runs<v5::Model<200, 24, 3, 8, v5::Kind::v5_1, 40>> v5_1(
    "v5::Model<200, 24, 3, 8, v5::Kind::v5_1, 40>");
static const reference::Runs<v5::Model<200, 32, 3, 16, v5::Kind::v5_2, 64>> v5_2(
    "v5::Model<200, 32, 3, 16, v5::Kind::v5_2, 64>");
