#pragma once
#include <rwkv/core/weight_matrix.hpp>
#include <rwkv/layers/gpt2/init.hpp>

// How attention stores its four projections: its parameters, and where in them each projection lies.
namespace rwkv::gpt2 {

/// A projection, C to C; a bias without data is none.
template <class B, dim_t C>
struct Projection {
  WeightMatrix<B, C, C> weight;
  Tensor<B, C> bias;
};

/// As nanoGPT's checkpoints: queries, keys and values in one matrix, one under the other.
template <dim_t C>
struct FusedWeights {
  template <class B>
  struct Params {
    WeightMatrix<B, 3 * C, C> attn_weight;
    Tensor<B, 3 * C> attn_bias;
    WeightMatrix<B, C, C> proj_weight;
    Tensor<B, C> proj_bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"c_attn.weight", weight, true}, p.attn_weight...);
      f(Field{"c_attn.bias", init::zeros}, p.attn_bias...);
      f(Field{"c_proj.weight", residual, true}, p.proj_weight...);
      f(Field{"c_proj.bias", init::zeros}, p.proj_bias...);
    }
    Projection<B, C> query() const { return part(0); }
    Projection<B, C> key() const { return part(1); }
    Projection<B, C> value() const { return part(2); }
    Projection<B, C> output() const { return {proj_weight, proj_bias}; }

   private:
    Projection<B, C> part(dim_t i) const {
      return {rows_of<C>(attn_weight, i * C), {attn_bias.data ? attn_bias.data + i * C : nullptr, attn_bias.seq}};
    }
  };
};

/// As the notebook of the 2022 study: a matrix each, and a bias only for the output.
template <dim_t C>
struct SeparateWeights {
  template <class B>
  struct Params {
    WeightMatrix<B, C, C> key_weight, query_weight, value_weight, proj_weight;
    Tensor<B, C> proj_bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"key.weight", weight, true}, p.key_weight...);
      f(Field{"query.weight", weight, true}, p.query_weight...);
      f(Field{"value.weight", weight, true}, p.value_weight...);
      f(Field{"proj.weight", weight, true}, p.proj_weight...);
      f(Field{"proj.bias", init::zeros}, p.proj_bias...);
    }
    Projection<B, C> query() const { return {query_weight, {}}; }
    Projection<B, C> key() const { return {key_weight, {}}; }
    Projection<B, C> value() const { return {value_weight, {}}; }
    Projection<B, C> output() const { return {proj_weight, proj_bias}; }
  };
};

}  // namespace rwkv::gpt2
