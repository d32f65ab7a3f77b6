#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/activation_functions.hpp>

// Parameters of heads or channels as WKV-5 takes them, for every channel.
namespace rwkv {
namespace detail {

/// F of a parameter of `each` channels, for every channel.
template <class T, class F>
struct PerChannel {
  dim_t each;
  const T* parameter;
  compute_of<T>* out;
  RWKV_HD void operator()(dim_t c) const { store(out, c, F::value(load(parameter, c / each))); }
};
/// Adds the sum over its channels to a parameter's gradient.
template <class T, class F>
struct PerChannelBackward {
  using Number = compute_of<T>;
  dim_t each;
  const Number *out, *dout;
  Number* dparameter;
  RWKV_HD void operator()(dim_t h) const {
    Number total = 0;
    for (dim_t c = h * each; c < (h + 1) * each; ++c) total += dout[c] * F::derivative(load(out, c));
    dparameter[h] += total;
  }
};

}  // namespace detail

/// out (C) = F(parameter), of which each number serves `C / size` neighbouring channels; F is one of rwkv::activation.
template <class B, class F, dim_t C, class S>
void per_channel_forward(View<typename B::scalar, S> parameter, Tensor<Accum<B>, C> out) {
  static_assert(C % S::unit == 0);
  B::for_each_row(C, detail::PerChannel<typename B::scalar, F>{C / S::unit, parameter.data, out.data});
}
/// dparameter is added to, from the gradient of `out`; not where it is not trained.
template <class B, class F, dim_t C, class S>
void per_channel_backward(Tensor<Accum<B>, C> out, Tensor<Accum<B>, C> dout,
                          View<compute_of<typename B::scalar>, S> dparameter) {
  static_assert(F::of_output);
  if (dparameter.data)
    B::for_each_row(
        S::unit, detail::PerChannelBackward<typename B::scalar, F>{C / S::unit, out.data, dout.data, dparameter.data});
}

}  // namespace rwkv
