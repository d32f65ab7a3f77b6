#include <cmath>

#include <rwkv/io/load.hpp>
#include <rwkv/models/v4.hpp>

#include "folder.hpp"
#include "rwkv_cpp.hpp"

using namespace rwkv;

TEST_CASE("an RWKV-4 of rwkv.cpp is loaded whole or refused, wherever its file is cut") {
  using Net = v4::Model<11, 4, 1, 8>;
  const test::Folder folder;
  const Model<Net> model(3);
  std::string file = test::header();
  for (const Leaf& leaf : model.params.leaves()) {
    std::vector<float> numbers(model.params.data() + leaf.offset, model.params.data() + leaf.offset + leaf.size);
    if (leaf.name.ends_with("time_decay"))
      for (float& x : numbers) x = -std::exp(x);
    const bool matrix = leaf.shape.size() == 2;
    file += matrix ? test::record(leaf.name, 0, {std::uint32_t(leaf.columns()), std::uint32_t(leaf.rows())}, 0)
                   : test::record(leaf.name, 0, {std::uint32_t(leaf.size)}, 0);
    file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  }
  test::write(folder / "a", file);
  Model<Net> other(4);
  load(other, folder / "a");
  for (const Leaf& leaf : model.params.leaves())
    for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
      CHECK(other.params.data()[i] == doctest::Approx(model.params.data()[i]).epsilon(1e-6));
  for (std::size_t n = 0; n < file.size(); n += n < 300 ? 1 : 7) {
    INFO("after ", n, " of ", file.size(), " bytes");
    test::write(folder / "cut", file.substr(0, n));
    CHECK(!test::message<Error>([&] { load(other, folder / "cut"); }).empty());
  }
}
