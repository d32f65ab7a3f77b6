#pragma once
#include <rwkv/ops/wkv7.hpp>

// The operator of WKV-7's recurrence: a stretch of tokens turns a state Z into M Z + Q, so two stretches in a row are
// one again. It is associative, but a product of Size x Size matrices costs as much as Size tokens: worth it where
// stretches lie on different machines, not between threads.
namespace rwkv::wkv7 {

/// What a stretch of tokens makes of the state of every head.
template <class B, dim_t H, dim_t Size>
struct Stretch {
  State<B, H, Size> m, q;
};

/// Ones on the diagonal of every matrix.
template <class T, dim_t Size>
struct Identity {
  T* data;
  RWKV_HD void operator()(dim_t row) const {
    for (dim_t j = 0; j < Size; ++j) data[row * Size + j] = T(row % Size == j);
  }
};

/// The stretch of the tokens of a call: M is what they make of the identity where they bring no values.
template <class B, dim_t H, dim_t Size>
void stretch_of(Scratch<B>& scratch, Signals<B, H, Size> in, const Stretch<B, H, Size>& stretch) {
  using Signal = Shape<Batch, Time, H * Size>;
  const auto frame = scratch.frame();
  const auto y = scratch.template take<Signal>(in.seq()), none = scratch.template take<Signal>(in.seq());
  Accum<B>::fill(stretch.q.data, stretch.q.size(), 0);
  wkv7_forward(scratch, in, y, stretch.q, {});
  B::fill(none.data, none.size(), typename B::scalar(0));
  in.v = none;
  B::for_each_row(in.seq().batch * H * Size, Identity<typename Accum<B>::scalar, Size>{stretch.m.data});
  wkv7_forward(scratch, in, y, stretch.m, {});
}

/// to = M Z + Q, not in place; transposed, M^T Z + Q.
template <class B, dim_t H, dim_t Size>
void apply(const Stretch<B, H, Size>& later, State<B, H, Size> z, State<B, H, Size> to, Op op = Op::none) {
  using A = Accum<B>;
  using T = typename A::scalar;
  A::copy(to.data, later.q.data, to.size());
  A::batched_matmul(to.seq.batch * H, op, Op::none, Size, Size, Size,
                    Matrices<const T>{later.m.data, Size, Size * Size}, Matrices<const T>{z.data, Size, Size * Size},
                    Matrices<T>{to.data, Size, Size * Size}, T(1));
}
/// Earlier tokens and then later ones as one stretch, not in place.
template <class B, dim_t H, dim_t Size>
void join(const Stretch<B, H, Size>& earlier, const Stretch<B, H, Size>& later, const Stretch<B, H, Size>& both) {
  using A = Accum<B>;
  using T = typename A::scalar;
  A::batched_matmul(
      both.m.seq.batch * H, Op::none, Op::none, Size, Size, Size, Matrices<const T>{later.m.data, Size, Size * Size},
      Matrices<const T>{earlier.m.data, Size, Size * Size}, Matrices<T>{both.m.data, Size, Size * Size}, T(0));
  apply(later, earlier.q, both.q);
}

}  // namespace rwkv::wkv7
