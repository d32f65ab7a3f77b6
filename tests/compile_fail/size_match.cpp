// expect: SizeMatch: no model of the family has as many parameters as the reference within 2 %
#include <rwkv/layers/linear.hpp>
#include <rwkv/models/size_match.hpp>

struct Squares {
  template <rwkv::dim_t N>
  using of = rwkv::Linear<N, N>;
};
#ifdef RWKV_BAD
constexpr rwkv::dim_t wanted = 110;
#else
constexpr rwkv::dim_t wanted = 100;
#endif

static_assert(rwkv::SizeMatch<rwkv::Linear<wanted, 1>, Squares>::n == 10);
