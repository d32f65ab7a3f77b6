#pragma once
#include <rwkv/text/batch_rows.hpp>
#include <rwkv/training/share.hpp>

namespace rwkv {

/// What a rank trains on of a source: its rows of the batches where these are of all ranks, else the batches as they
/// are. The source must outlive it.
template <class Source>
struct OwnRows {
  const Source& source;
  Seq whole;
  Share rows;

  Seq seq() const { return cuts() ? Seq{rows.size, whole.time} : source.seq(); }
  void fill(dim_t step, Minibatch& batch) const {
    if (cuts())
      fill_rows(source, step, rows.first, rows.size, batch);
    else
      source.fill(step, batch);
  }

 private:
  bool cuts() const { return rows.size < whole.batch && source.seq() == whole; }
};

}  // namespace rwkv
