#pragma once
#include <rwkv/core/error.hpp>
#include <rwkv/text/minibatch.hpp>

namespace rwkv {

/// Error unless the batch has this size, as many tokens as that, and all of them are in the vocabulary.
inline void expect_batch(const Minibatch& batch, Seq seq, dim_t vocabulary) {
  if (batch.seq != seq)
    throw Error("minibatch: expected ", seq.batch, " x ", seq.time, " tokens, found ", batch.seq.batch, " x ",
                batch.seq.time, "; give the batch source and the trainer the same Seq");
  for (const auto* ids : {&batch.inputs, &batch.targets}) {
    if (ids->size() != std::size_t(seq.tokens()))
      throw Error("minibatch: expected ", seq.tokens(), " inputs and as many targets, which is its size of ", seq.batch,
                  " x ", seq.time, ", found ", batch.inputs.size(), " and ", batch.targets.size());
    for (const auto id : *ids)
      if (id < 0 || id >= vocabulary)
        throw Error("minibatch: token ", id, " is outside the model's vocabulary of ", vocabulary,
                    "; use the tokenizer that the model was made for");
  }
}

}  // namespace rwkv
