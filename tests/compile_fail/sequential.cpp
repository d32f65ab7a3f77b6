// expect: Sequential: a layer must take the shape the layer before it returns
// expect: 64
// expect: 32
#include <rwkv/layers/sequential.hpp>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>

#ifdef RWKV_BAD
constexpr rwkv::dim_t width = 32;
#else
constexpr rwkv::dim_t width = 64;
#endif

struct Net : rwkv::Sequential<rwkv::Linear<16, 64>, rwkv::LayerNorm<width>, rwkv::Linear<width, 8>> {};
static_assert(Net::flops > 0);
