#pragma once
#include <algorithm>
#include <string>

#include <rwkv/io/save.hpp>
#include <rwkv/training/checkpoint_part.hpp>
#include <rwkv/training/together.hpp>

namespace rwkv::detail {

/// Writes bundles of which every rank has a part, piece by piece: no rank needs memory for a whole one. All ranks make
/// the same calls, and rank 0 writes.
class GatheredTensors {
 public:
  explicit GatheredTensors(AnyCommunicator& ranks) : ranks_(ranks) {}

  /// The part must outlive `write`.
  void add(SafetensorsWriter& writer, const CheckpointPart& part) {
    if (!part.share) {
      if (ranks_.rank() == 0) write_bundle(writer, part.name, part.own);
      return;
    }
    for (std::size_t i = 0; i < part.own.leaves.size(); ++i) {
      const Leaf& leaf = part.own.leaves[i];
      writer.add(part.name + leaf.name, file_dtype(leaf.storage), leaf.shape,
                 [this, &part, i](std::uint64_t offset, std::span<std::byte> chunk) {
                   if (sent_before_ > 0) return void(--sent_before_);
                   gather(part, i, offset, chunk);
                   ++sent_;
                 });
    }
  }
  /// Error in all ranks where the file cannot be written.
  void write(const SafetensorsWriter& writer, const std::string& path) {
    const auto send = [](std::span<const std::byte>) {};
    const Failure own([&] { ranks_.rank() == 0 ? writer.write(path) : writer.for_each_chunk(send); });
    if (ranks_.size() > 1 && ranks_.rank() == 0 && own.thrown) {  // the others still send
      sent_before_ = sent_;
      writer.for_each_chunk(send);
    }
    expect_none(ranks_, own);
  }

 private:
  void gather(const CheckpointPart& part, std::size_t i, std::uint64_t offset, std::span<std::byte> chunk) {
    const Leaf& leaf = part.own.leaves[i];
    const dim_t unit = bytes_of(leaf.storage, 1), first = dim_t(offset) / unit,
                end = first + dim_t(chunk.size()) / unit;
    for (int rank = 0; rank < ranks_.size(); ++rank) {
      const Share share = part.share(i, rank);
      const dim_t begin = std::max(first, share.first), n = std::min(end, share.first + share.size) - begin;
      if (n <= 0) continue;
      std::byte* const to = chunk.data() + (begin - first) * unit;
      if (rank == ranks_.rank())
        part.own.download_bytes(to, part.own.of(leaf) + (begin - leaf.first) * unit, std::size_t(n * unit));
      if (leaf.storage == Storage::f64)
        ranks_.broadcast<Cpu<double>>(reinterpret_cast<double*>(to), n, rank);
      else
        ranks_.broadcast<Cpu<float>>(reinterpret_cast<float*>(to), n, rank);
    }
  }

  AnyCommunicator& ranks_;
  std::uint64_t sent_ = 0, sent_before_ = 0;  // pieces; those that are not to be sent again
};

}  // namespace rwkv::detail
