#pragma once
#include <cmath>
#include <vector>

#include <rwkv/backend/cpu.hpp>

// Softmax attention as its formula reads: a T x T matrix of weights for every head, fast products around it.
namespace bench {

template <rwkv::dim_t H, rwkv::dim_t D>
class NaiveAttention {
  using B = rwkv::Cpu<float>;
  using dim_t = rwkv::dim_t;
  using Op = rwkv::Op;

 public:
  using Signal = rwkv::Tensor<B, rwkv::Batch, rwkv::Time, H * D>;

  void run(Signal q, Signal k, Signal v, Signal y, Signal dy, Signal dq, Signal dk, Signal dv, bool back) {
    const dim_t T = q.seq.time;
    for (auto* x : {&q_, &k_, &v_, &y_, &dy_, &dx_}) x->resize(std::size_t(T * D));
    for (auto* x : {&p_, &dp_}) x->resize(std::size_t(T * T));
    for (dim_t b = 0; b < q.seq.batch; ++b)
      for (dim_t h = 0; h < H; ++h) {
        const dim_t at = b * T * H * D + h * D;
        take(q.data + at, T, q_), take(k.data + at, T, k_), take(v.data + at, T, v_);
        B::matmul(Op::none, Op::transpose, T, T, D, q_.data(), k_.data(), p_.data(), 0);
        rwkv::pool().run(T, [&](dim_t t) { softmax(p_.data() + t * T, t + 1, T); });
        B::matmul(Op::none, Op::none, T, D, T, p_.data(), v_.data(), y_.data(), 0);
        put(y_, T, y.data + at);
        if (!back) continue;
        take(dy.data + at, T, dy_);
        B::matmul(Op::transpose, Op::none, T, D, T, p_.data(), dy_.data(), dx_.data(), 0);
        put(dx_, T, dv.data + at);
        B::matmul(Op::none, Op::transpose, T, T, D, dy_.data(), v_.data(), dp_.data(), 0);
        rwkv::pool().run(T, [&](dim_t t) { softmax_backward(p_.data() + t * T, dp_.data() + t * T, T); });
        B::matmul(Op::none, Op::none, T, D, T, dp_.data(), k_.data(), dx_.data(), 0);
        put(dx_, T, dq.data + at);
        B::matmul(Op::transpose, Op::none, T, D, T, dp_.data(), q_.data(), dx_.data(), 0);
        put(dx_, T, dk.data + at);
      }
  }
  double bytes() const { return 4.0 * double(6 * q_.size() + p_.size() + dp_.size()); }

 private:
  static constexpr float scale() { return 1 / std::sqrt(float(D)); }
  static void take(const float* from, dim_t T, std::vector<float>& to) {
    for (dim_t t = 0; t < T; ++t) std::copy_n(from + t * H * D, D, to.data() + t * D);
  }
  static void put(const std::vector<float>& from, dim_t T, float* to) {
    for (dim_t t = 0; t < T; ++t) std::copy_n(from.data() + t * D, D, to + t * H * D);
  }
  static void softmax(float* row, dim_t seen, dim_t T) {
    float top = row[0], sum = 0;
    for (dim_t i = 1; i < seen; ++i) top = std::max(top, row[i]);
    for (dim_t i = 0; i < seen; ++i) sum += row[i] = std::exp((row[i] - top) * scale());
    for (dim_t i = 0; i < seen; ++i) row[i] /= sum;
    std::fill(row + seen, row + T, 0.0f);
  }
  static void softmax_backward(const float* p, float* dp, dim_t T) {
    float sum = 0;
    for (dim_t i = 0; i < T; ++i) sum += p[i] * dp[i];
    for (dim_t i = 0; i < T; ++i) dp[i] = p[i] * (dp[i] - sum) * scale();
  }

  std::vector<float> q_, k_, v_, y_, dy_, dx_, p_, dp_;
};

}  // namespace bench
