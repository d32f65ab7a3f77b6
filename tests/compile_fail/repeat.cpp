// expect: Repeat: the repeated layer must return the shape it takes
// expect: Shape<-1, -2, 16>
// expect: Shape<-1, -2, 32>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/repeat.hpp>

#ifdef RWKV_BAD
constexpr rwkv::dim_t width = 32;
#else
constexpr rwkv::dim_t width = 16;
#endif

struct Net : rwkv::Repeat<3, rwkv::Linear<16, width>> {};
static_assert(Net::flops > 0);
