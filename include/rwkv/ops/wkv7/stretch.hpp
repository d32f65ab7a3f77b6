#pragma once
#include <rwkv/ops/wkv7.hpp>

// The operator of WKV-7's recurrence: a stretch of tokens turns a state Z into M Z + Q, so two stretches in a row are
// one again. It is associative, but a product of N x N matrices costs as much as N tokens: worth it where stretches lie
// on different machines, not between threads.
namespace rwkv::wkv7 {

/// What a stretch of tokens makes of the state of every head.
template <class B, dim_t H, dim_t N>
struct Stretch {
  State<B, H, N> m, q;
};

/// Ones on the diagonal of every matrix.
template <class T, dim_t N>
struct Identity {
  T* data;
  RWKV_HD void operator()(dim_t row) const {
    for (dim_t j = 0; j < N; ++j) data[row * N + j] = T(row % N == j);
  }
};

/// The stretch of the tokens of a call: M is what they make of the identity where they bring no values.
template <class B, dim_t H, dim_t N>
void stretch_of(Scratch<B>& scratch, Signals<B, H, N> in, const Stretch<B, H, N>& stretch) {
  using Signal = Shape<Batch, Time, H * N>;
  const auto frame = scratch.frame();
  const auto y = scratch.template take<Signal>(in.seq()), none = scratch.template take<Signal>(in.seq());
  Accum<B>::fill(stretch.q.data, stretch.q.size(), 0);
  wkv7_forward(scratch, in, y, stretch.q, {});
  B::fill(none.data, none.size(), typename B::scalar(0));
  in.v = none;
  B::for_each_row(in.seq().batch * H * N, Identity<typename Accum<B>::scalar, N>{stretch.m.data});
  wkv7_forward(scratch, in, y, stretch.m, {});
}

/// to = M Z + Q, not in place.
template <class B, dim_t H, dim_t N>
void apply(const Stretch<B, H, N>& later, State<B, H, N> z, State<B, H, N> to) {
  using A = Accum<B>;
  using T = typename A::scalar;
  A::copy(to.data, later.q.data, to.size());
  A::batched_matmul(to.seq.batch * H, Op::none, Op::none, N, N, N, Matrices<const T>{later.m.data, N, N * N},
                    Matrices<const T>{z.data, N, N * N}, Matrices<T>{to.data, N, N * N}, T(1));
}
/// Earlier tokens and then later ones as one stretch, not in place.
template <class B, dim_t H, dim_t N>
void join(const Stretch<B, H, N>& earlier, const Stretch<B, H, N>& later, const Stretch<B, H, N>& both) {
  using A = Accum<B>;
  using T = typename A::scalar;
  A::batched_matmul(both.m.seq.batch * H, Op::none, Op::none, N, N, N, Matrices<const T>{later.m.data, N, N * N},
                    Matrices<const T>{earlier.m.data, N, N * N}, Matrices<T>{both.m.data, N, N * N}, T(0));
  apply(later, earlier.q, both.q);
}

}  // namespace rwkv::wkv7
