// bad flags: -DLACKS_IN
// expect: a layer lacks `In`
// expect: Own
// bad flags: -DLACKS_OUT
// expect: a layer lacks `Out`
// bad flags: -DLACKS_FLOPS
// expect: a layer lacks `flops`
// bad flags: -DLACKS_PARAMS
// expect: a layer lacks `Params<B>`
// bad flags: -DLACKS_CACHE
// expect: a layer lacks `Cache<B>`
// bad flags: -DLACKS_STATE
// expect: a layer lacks `State<B>`
// bad flags: -DLACKS_FORWARD
// expect: a layer's `forward` must be static and take (Context<B>&, const Params<B>& p, TensorOf<B, In> x,
// bad flags: -DLACKS_BACKWARD
// expect: a layer's `backward` must be static and take (Context<B>&, const Params<B>& p, const Cache<B>& c,
// bad flags: -DLACKS_DS
// expect: Params<Accum<B>>& dp, State<Accum<B>>& ds), and return void
// bad flags: -DLACKS_DS -DALONE
// expect: Params<Accum<B>>& dp, State<Accum<B>>& ds), and return void
// bad flags: -DLACKS_OUT -DALONE
// expect: a layer lacks `Out`
// most: 30
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/residual.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/pointwise.hpp>

using namespace rwkv;

struct Own {
  using Signal = Shape<Batch, Time, 8>;
#ifndef LACKS_IN
  using In = Signal;
#endif
#ifndef LACKS_OUT
  using Out = Signal;
#endif
#ifndef LACKS_FLOPS
  static constexpr dim_t flops = 0;
#endif
#ifndef LACKS_PARAMS
  template <class B>
  using Params = Empty;
#endif
#ifndef LACKS_CACHE
  template <class B>
  struct Cache {
    TensorOf<B, Signal> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
#endif
#ifndef LACKS_STATE
  template <class B>
  using State = Empty;
#endif

#ifndef LACKS_FORWARD
  template <class B>
  static TensorOf<B, Signal> forward(Context<B>&, const Empty&, TensorOf<B, Signal> x, auto& c, Empty&) {
    add<B>(x, x, c.y);
    return c.y;
  }
#endif
#ifndef LACKS_BACKWARD
  template <class B>
  static void backward(Context<B>&, const Empty&, const auto&, TensorOf<B, Signal> dy, TensorOf<B, Signal> dx,
#ifndef LACKS_DS
                       Empty&,
#endif
                       Empty&) {
    add<B>(dy, dy, dx);
  }
#endif
};

#ifdef ALONE
using Net = Own;
#else
using Net = Sequential<Linear<8, 8>, Residual<Own>, Linear<8, 8> >;
#endif

int main() {
  return Model<Net>().params.leaves().empty();
}
