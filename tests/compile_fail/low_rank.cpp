// expect: LowRank: the rank must be at least 1
#include <rwkv/models/v7.hpp>

#ifdef RWKV_BAD
constexpr int rank = 0;
#else
constexpr int rank = 1;
#endif

static_assert(rwkv::parameters<rwkv::v7::Model<64, 32, 2, 16, rank>>() > 0);
