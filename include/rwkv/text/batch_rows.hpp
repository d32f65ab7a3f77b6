#pragma once
#include <rwkv/core/error.hpp>
#include <rwkv/text/batch_source.hpp>

namespace rwkv {

/// Rows first .. first + rows - 1 of a batch. Error if it has fewer.
inline void take_rows(const Minibatch& batch, dim_t first, dim_t rows, Minibatch& to) {
  const auto tokens = static_cast<std::size_t>(batch.seq.tokens());
  if (first + rows > batch.seq.batch || batch.inputs.size() != tokens || batch.targets.size() != tokens)
    throw Error("minibatch: expected at least ", first + rows, " rows of ", batch.seq.time,
                " inputs and targets, found ", batch.seq.batch, " rows, ", batch.inputs.size(), " inputs and ",
                batch.targets.size(), " targets; fill both whole");
  to.seq = {rows, batch.seq.time}, to.continues = batch.continues;
  const auto take = [&](const std::vector<std::int32_t>& from, std::vector<std::int32_t>& into) {
    const auto begin = from.begin() + first * batch.seq.time;
    into.assign(begin, begin + rows * batch.seq.time);
  };
  take(batch.inputs, to.inputs), take(batch.targets, to.targets);
}

/// The same of the batch of a step. A source that can reads no more than these rows.
template <BatchSource Source>
void fill_rows(const Source& source, dim_t step, dim_t first, dim_t rows, Minibatch& batch) {
  if constexpr (requires { source.fill(step, batch, first, rows); }) {
    source.fill(step, batch, first, rows);
  } else {
    Minibatch whole;
    source.fill(step, whole);
    take_rows(whole, first, rows, batch);
  }
}

}  // namespace rwkv
