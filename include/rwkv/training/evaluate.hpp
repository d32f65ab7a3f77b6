#pragma once
#include <limits>

#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/text/batch_source.hpp>
#include <rwkv/training/expect_batch.hpp>
#include <rwkv/training/workspace.hpp>

namespace rwkv {

/// The same as below, in memory that is there already.
template <class Net, Backend B, BatchSource Source>
requires LanguageModel<Net>
double evaluate(Workspace<Net, B>& work, const Model<Net, B>& model, const Source& source, dim_t batches, dim_t first,
                bool carry) {
  if (batches < 1 || first < 0 || first > std::numeric_limits<dim_t>::max() - batches)
    throw Error("evaluate: expected at least 1 batch, from number 0 on, found ", batches, " from ", first);
  auto state = work.fresh;
  Minibatch batch;
  double sum = 0;
  work.context.dropout.on = false;
  for (dim_t i = first; i < first + batches; ++i) {
    source.fill(i, batch);
    expect_batch(batch, work.seq, vocabulary<Net>);
    if (!batch.continues || !carry) work.restart(state);
    const auto logits = work.forward(model, work.inputs(batch.inputs, work.seq), state);
    sum += cross_entropy<B>(work.context.scratch, logits, work.targets(batch.targets, work.seq));
  }
  return sum / double(batches);
}

/// Mean loss, in nats per token, over at least one batch, number first, first + 1, ... of a source, without dropout.
/// `carry`: a batch that continues starts from the state in which the one before ended. Takes memory for a forward
/// pass, none for gradients or moments.
template <class Net, Backend B, BatchSource Source>
requires LanguageModel<Net>
double evaluate(const Model<Net, B>& model, const Source& source, dim_t batches, dim_t first = 0, bool carry = false) {
  Workspace<Net, B> work(source.seq());
  work.context.needs_backward = false;
  return evaluate(work, model, source, batches, first, carry);
}

}  // namespace rwkv
