#pragma once
#include <type_traits>

#include <rwkv/layers/init.hpp>
#include <rwkv/layers/layer.hpp>
#include <rwkv/ops/low_rank.hpp>

namespace rwkv {

/// Names of a low-rank product's parameters: "w1", "w2" and "w0".
template <char W>
struct Numbered {
  static constexpr char first[3]{W, '1', 0}, second[3]{W, '2', 0},
      bias[3]{W, '0', 0};  // nvcc counts none without the 3
};

/// y = f(x first) second + bias: a product of rank R, whose factors are stored (in, out), F being one of
/// rwkv::activation. The first starts as zeros, the second as Second, the bias as Bias::init, with Bias::lr_scale;
/// there is none where Bias is void.
template <class Names, dim_t Inputs, dim_t R, dim_t O, class F, const Init& Second, class Bias = void>
struct LowRank {
  static_assert(R > 0, "LowRank: the rank must be at least 1");
  using In = Shape<Batch, Time, Inputs>;
  using Out = Shape<Batch, Time, O>;
  static constexpr dim_t flops = 2 * R * (Inputs + O);

  template <class B>
  struct Factors {
    Tensor<B, Inputs, R> first;
    Tensor<B, R, O> second;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{Names::first, init::zeros}, p.first...);
      f(Field{Names::second, Second}, p.second...);
    }
  };
  template <class B>
  struct FactorsAndBias {
    Tensor<B, 1, 1, O> bias;
    Factors<B> factors;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{.name = Names::bias, .init = Bias::init, .lr_scale = Bias::lr_scale}, p.bias...);
      f(Field{}, p.factors...);
    }
  };
  template <class B>
  using Params = std::conditional_t<std::is_void_v<Bias>, Factors<B>, FactorsAndBias<B>>;
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;
    Tensor<B, Batch, Time, R> h;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"h"}, c.h...);
      f(Field{"y"}, c.y...);
    }
  };
  template <class B>
  using State = Empty;

  /// Its backward does not need the output.
  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    low_rank_forward<B, F>(factors(p).first, factors(p).second, bias(p), x, c.h, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    backward(ctx, p, c, dy, dx, dp, false);
  }
  /// Adds to dx.
  template <class B>
  static void backward_add(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy,
                           TensorOf<B, In> dx, Params<Accum<B>>& dp) {
    backward(ctx, p, c, dy, dx, dp, true);
  }

 private:
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, bool add_to_dx) {
    low_rank_backward<B, F>(ctx.scratch, factors(p).first, factors(p).second, c.x, c.h, dy, dx, factors(dp).first,
                            factors(dp).second, bias(dp), add_to_dx);
  }
  template <class B>
  static const Factors<B>& factors(const Factors<B>& p) {
    return p;
  }
  template <class B>
  static const Factors<B>& factors(const FactorsAndBias<B>& p) {
    return p.factors;
  }
  template <class B>
  static Tensor<B, 1, 1, O> bias(const Factors<B>&) {
    return {};
  }
  template <class B>
  static Tensor<B, 1, 1, O> bias(const FactorsAndBias<B>& p) {
    return p.bias;
  }
};

}  // namespace rwkv
