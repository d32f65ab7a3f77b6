// expect: Sequential: a layer must take the shape the layer before it returns
// expect: Shape<-1, -2, 64>
// expect: Shape<-1, -2, 32>
#include <rwkv/layers/layer_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/sequential.hpp>

#ifdef RWKV_BAD
constexpr rwkv::dim_t width = 32;
#else
constexpr rwkv::dim_t width = 64;
#endif

struct Net : rwkv::Sequential<rwkv::Linear<16, 64>, rwkv::LayerNorm<width>, rwkv::Linear<width, 8>> {};
static_assert(Net::flops > 0);
