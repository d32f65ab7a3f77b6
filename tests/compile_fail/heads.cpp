// expect: MultiHeadAttention: the width must be a multiple of the number of heads
#include <rwkv/layers/multi_head_attention.hpp>

#ifdef RWKV_BAD
constexpr int heads = 5;
#else
constexpr int heads = 4;
#endif

static_assert(rwkv::MultiHeadAttention<32, heads, 16>::flops > 0);
