#include <doctest/doctest.h>

#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/training/gathered_tensors.hpp>

#include "../io/folder.hpp"
#include "counted_rank.hpp"

using namespace rwkv;

namespace {

constexpr dim_t n = 2'500'000;  // of float three pieces

thread_local int downloads = 0, failing = 0;  // the number of the one that throws
void download(void* to, const void* from, dim_t floats) {
  if (++downloads == failing) throw Error("the machine is lost");
  Cpu<float>::download(static_cast<float*>(to), static_cast<const float*>(from), floats);
}

/// A tensor of which every rank has a share, in a file that rank 0 writes.
void save(test::CountedRank rank, const std::string& path) {
  const Share own = share_of(n, rank.rank(), rank.size());
  std::vector<float> numbers;
  for (dim_t i = 0; i < own.size; ++i) numbers.push_back(float(own.first + i));
  std::vector<Leaf> leaves(1);
  leaves[0].name = "tensor", leaves[0].shape = {n}, leaves[0].storage = Storage::f32;
  leaves[0].size = own.size, leaves[0].first = own.first;
  BundleMemory memory = memory_of<Cpu<float>>(leaves, numbers.data());
  memory.download = download;
  const CheckpointPart part{"", memory, [&](std::size_t, int of) { return share_of(n, of, rank.size()); }};
  AnyCommunicator ranks(rank);
  SafetensorsWriter writer;
  detail::GatheredTensors tensors(ranks);
  tensors.add(writer, part);
  tensors.write(writer, path);
}

}  // namespace

TEST_CASE("rank 0 writes what others have, which they send to it alone") {
  const test::Folder folder;
  for (const int size : {1, 2, 3}) {
    std::vector<test::SentBytes> sent(static_cast<std::size_t>(size));
    run_in_threads(size, [&](ThreadRank rank) {
      downloads = failing = 0;
      save({rank, &sent[std::size_t(rank.rank())]}, folder / "file");
    });
    std::vector<float> found(n);
    const SafetensorsFile file(folder / "file");
    file.read("tensor", std::array{n}, std::span(found));
    bool right = true;
    for (dim_t i = 0; i < n; ++i) right = right && found[std::size_t(i)] == float(i);
    CHECK(right);
    for (int rank = 0; rank < size; ++rank) {
      const test::SentBytes& its = sent[std::size_t(rank)];
      CHECK(its.messages == (rank == 0 ? 0 : 4 * share_of(n, rank, size).size));
      CHECK(its.broadcast + its.sums + its.gathered == 0);
    }
  }
}

TEST_CASE("where one rank cannot read its part, all hear of it, and the file that was there stays") {
  const test::Folder folder;
  test::write(folder / "file", "before");
  for (const int broken : {0, 1, 2})
    for (const int piece : {1, 2}) {
      if (broken == 0 && piece > 1) continue;  // its share is in one
      std::string said[3];
      test::SentBytes sent[3];
      run_in_threads(3, [&](ThreadRank rank) {
        downloads = 0, failing = rank.rank() == broken ? piece : 0;
        said[rank.rank()] = test::message<Error>([&] { save({rank, &sent[rank.rank()]}, folder / "file"); });
      });
      for (const std::string& words : said) CHECK(words == "rank " + std::to_string(broken) + ": the machine is lost");
      CHECK(test::read(folder / "file") == "before");
      CHECK(folder.files() == 1);
    }
}
