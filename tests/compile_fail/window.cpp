// expect: MultiHeadAttention: the window must hold at least one token, since a token sees itself
#include <rwkv/layers/multi_head_attention.hpp>

#ifdef RWKV_BAD
constexpr rwkv::dim_t window = 0;
#else
constexpr rwkv::dim_t window = 1;
#endif

static_assert(rwkv::MultiHeadAttention<32, 4, window>::flops > 0);
