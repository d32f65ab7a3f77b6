#pragma once
#include <array>
#include <string>
#include <vector>

#include <rwkv/core/token_buffer.hpp>
#include <rwkv/gpu.hpp>
#include <rwkv/ops/attention.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/ops/embedding.hpp>
#include <rwkv/ops/layer_norm.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv4.hpp>
#include <rwkv/rwkv.hpp>

#include "figures.hpp"
#include "time.hpp"

// Every kernel that is written in blocks of threads, on one machine: what it must read and write, or calculate, at the
// least. A copy's rate counts what it reads and what it writes.
namespace bench {

using namespace rwkv;
constexpr dim_t C = 768, V = 50277, heads = 12, D = C / heads;
constexpr Seq seq{8, 1024};

template <class B>
struct Flat {
  Tensor<B, 64, 1 << 20> weight;
  static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", init::zeros, true}, p.weight...); }
};

template <class B>
struct Kernels {
  using T = typename B::scalar;
  static constexpr bool is_short = !std::is_same_v<B, Accum<B>>;
  Table& table;
  Column column;
  Scratch<B> scratch{};

  template <class Call>
  void time(const std::string& name, double bytes, const Call& call, double operations = 0) {
    table.note(name + (is_short ? ", bf16" : ", fp32"), column, milliseconds(call), bytes, operations, is_short);
  }
  template <dim_t... D>
  auto take(Seq s = seq) {
    return filled<B>(scratch.template take<Shape<D...>>(s));
  }
  /// In full length: what adds up over tokens.
  template <dim_t... D>
  auto full(Seq s = seq) {
    return filled<Accum<B>>(scratch.template accum<Shape<D...>>(s));
  }
  template <class Machine>
  static auto filled(auto x) {
    std::vector<typename Machine::scalar> host(std::size_t(x.size()));
    for (std::size_t i = 0; i < host.size(); ++i)
      host[i] = typename Machine::scalar(float((i * 2654435761u >> 8) % 2001) / 1000 - 1);
    Machine::upload(x.data, host.data(), x.size());
    return x;
  }

  void run() {
    const double row = double(sizeof(T)) * C * double(seq.tokens());
    std::vector<std::int32_t> ids(std::size_t(seq.tokens()));
    for (std::size_t i = 0; i < ids.size(); ++i) {  // as in a text: half the tokens are of few kinds
      const auto draw = i * 2654435761u >> 7;
      ids[i] = std::int32_t(draw % 2 ? draw / 2 % 50 : draw / 2 % std::size_t(V));
    }
    {
      const auto frame = scratch.frame();
      const auto x = take<Batch, Time, C>(), dy = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto w = take<C>(), b = take<C>();
      const auto dw = full<C>(), db = full<C>();
      const auto mean = full<Batch, Time, 1>(), rstd = full<Batch, Time, 1>();
      time("layer norm", 2 * row, [&] { layer_norm_forward<B>(scratch, 1e-5f, w, b, x, y, mean, rstd); });
      time("layer norm, back", 3 * row, [&] { layer_norm_backward<B>(scratch, w, x, mean, rstd, dy, y, dw, db); });
      const auto last = full<Batch, C>();
      const std::array mix{take<1, 1, C>(), take<1, 1, C>(), take<1, 1, C>()};
      const std::array dmix{full<1, 1, C>(), full<1, 1, C>(), full<1, 1, C>()};
      const std::array out{take<Batch, Time, C>(), take<Batch, Time, C>(), take<Batch, Time, C>()};
      time("token shift", 4 * row, [&] { token_shift_forward<B>(scratch, mix, x, last, out); });
      time("token shift, back", 5 * row, [&] { token_shift_backward<B>(scratch, mix, x, last, out, y, dmix, last); });
      const WeightMatrix<Accum<B>, V, C> table{full<V, C>()};
      TokenBuffer<B> tokens;
      const auto on_device = tokens(ids, seq);
      time("embedding, back", 3 * row, [&] { embedding_backward<B>(scratch, on_device, dy, table); });
    }
    {
      const auto frame = scratch.frame();
      const auto decay = take<C>(), bonus = take<C>();
      const auto ddecay = full<C>(), dbonus = full<C>();
      const auto k = take<Batch, Time, C>(), v = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
      const auto state = full<Batch, 3, C>(), dstate = full<Batch, 3, C>();
      const auto starts = full<Batch, Spans, 3, C>();
      time("WKV-4", 3 * row, [&] { wkv4_forward<B>(scratch, decay, bonus, k, v, y, state, starts); });
      Accum<B>::fill(dstate.data, dstate.size(), 0);
      time("WKV-4, back", 5 * row,
           [&] { wkv4_backward<B>(scratch, decay, bonus, k, v, starts, y, dk, dv, ddecay, dbonus, dstate); });
    }
    {
      const auto frame = scratch.frame();
      const auto q = take<Batch, Time, C>(), k = take<Batch, Time, C>(), v = take<Batch, Time, C>();
      const auto y = take<Batch, Time, C>(), dy = take<Batch, Time, C>();
      const auto dq = take<Batch, Time, C>(), dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
      const auto softmax = full<Batch, Time, heads, 2>();
      const double seen = double(seq.batch * heads) * double(seq.time * (seq.time + 1)) / 2;  // keys, by all tokens
      time(
          "attention", 4 * row, [&] { attention_forward<B, heads, D>(scratch, q, k, v, y, softmax); }, 4 * D * seen);
      time(
          "attention, back", 8 * row,
          [&] { attention_backward<B, heads, D>(scratch, q, k, v, y, softmax, dy, dq, dk, dv); }, 10 * D * seen);
      constexpr Seq one{8, 1};
      const auto state_k = full<Batch, 1024, C>(), state_v = full<Batch, 1024, C>();
      const auto position = full<Batch, 1>();
      Accum<B>::fill(position.data, position.size(), 2000);
      const auto of_one = [&](auto x) { return Tensor<B, Batch, Time, C>{x.data, one}; };
      time("attention, one token", 2 * 4.0 * C * double(seq.tokens()), [&] {
        attention_forward<B, heads, D>(scratch, of_one(q), of_one(k), of_one(v), state_k, state_v, position, of_one(y),
                                       {softmax.data, one});
      });
    }
    {
      const auto frame = scratch.frame();
      constexpr Seq part{2, 1024};
      const auto logits = take<Batch, Time, V>(part);
      TokenBuffer<B> tokens;
      const auto targets = tokens(std::span(ids).first(std::size_t(part.tokens())), part);
      time("cross-entropy", double(sizeof(T)) * double(logits.size()),
           [&] { cross_entropy<B>(scratch, logits, targets); });
      time("cross-entropy, back", 2.0 * sizeof(T) * double(logits.size()),
           [&] { cross_entropy_backward<B>(scratch, logits, targets, 1, official_l2wrap); });
    }
    if constexpr (!is_short) optimizer();  // in full length on every machine
  }

 private:
  void optimizer() {
    Owned<B, Flat<B>> params, gradient;
    std::array<Owned<B, Flat<B>>, 2> moments;
    const double n = double(params.size());
    time("norm of the gradient", 4 * n, [&] { sum_of_squares<B>(scratch, gradient.size(), gradient.data()); });
    time("AdamW", 32 * n, [&] { AdamW{}.step({1, 1e-3, 1}, params, gradient, moments); });
  }
};

}  // namespace bench
