#pragma once
#include <algorithm>
#include <string>

#include <rwkv/io/save.hpp>
#include <rwkv/training/checkpoint_part.hpp>
#include <rwkv/training/together.hpp>

namespace rwkv::detail {

/// Writes bundles of which every rank has a part: rank 0 writes, the others send it theirs, piece by piece, so that no
/// rank needs memory for a whole one. All ranks make the same calls. Before a piece travels, all hear whether one has
/// failed, so that none waits for what does not come.
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
                   meeting_ = true;
                   gather(part, i, offset, chunk);
                   meeting_ = false;
                 });
    }
  }
  /// Error in all ranks where one of them fails; then no file is replaced.
  void write(const SafetensorsWriter& writer, const std::string& path) {
    const Failure own(
        [&] { ranks_.rank() == 0 ? writer.write(path) : writer.for_each_chunk([](std::span<const std::byte>) {}); });
    if (meeting_) std::rethrow_exception(own.thrown);  // of which the others know, or cannot be told
    expect_none(ranks_, own);
  }

 private:
  void gather(const CheckpointPart& part, std::size_t i, std::uint64_t offset, std::span<std::byte> chunk) {
    const Leaf& leaf = part.own.leaves[i];
    const dim_t unit = bytes_of(leaf.storage, 1), first = dim_t(offset) / unit,
                end = first + dim_t(chunk.size()) / unit;
    const auto place = [&](dim_t number) { return chunk.data() + (number - first) * unit; };
    const auto piece = [&](int rank) {
      const Share share = part.share(i, rank);
      const dim_t begin = std::max(first, share.first);
      return Share{begin, std::min(end, share.first + share.size) - begin};
    };
    const Share own = piece(ranks_.rank());
    expect_none(ranks_, Failure([&] {
                  if (own.size > 0)
                    part.own.download_bytes(place(own.first), part.own.of(leaf) + (own.first - leaf.first) * unit,
                                            std::size_t(own.size * unit));
                }));
    for (int rank = 1; rank < ranks_.size(); ++rank) {
      const Share theirs = piece(rank);
      if (theirs.size <= 0) continue;
      if (leaf.storage == Storage::f64)
        hand_over<double>(place(theirs.first), theirs.size, rank);
      else
        hand_over<float>(place(theirs.first), theirs.size, rank);
    }
  }
  /// From a rank to rank 0.
  template <class T>
  void hand_over(std::byte* bytes, dim_t n, int from) {
    auto* const numbers = reinterpret_cast<T*>(bytes);
    if (ranks_.rank() == from) ranks_.send<Cpu<T>>(numbers, n, 0);
    if (ranks_.rank() == 0) ranks_.receive<Cpu<T>>(numbers, n, from);
  }

  AnyCommunicator& ranks_;
  bool meeting_ = false;  // ranks are talking: what is thrown meanwhile is thrown in all, or by the communicator
};

}  // namespace rwkv::detail
