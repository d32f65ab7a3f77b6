// expect: v7: the head size must divide the width
#include <rwkv/models/v7.hpp>

#ifdef RWKV_BAD
constexpr int head_size = 20;
#else
constexpr int head_size = 16;
#endif

static_assert(rwkv::parameters<rwkv::v7::Model<64, 32, 2, head_size>>() > 0);
