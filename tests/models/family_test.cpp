#include <doctest/doctest.h>

#include <map>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/owned.hpp>
#include <rwkv/models/families.hpp>

using namespace rwkv;

namespace {
/// What the families make of a net's parameters: its type as one writes it, from all families that know it.
template <class Net>
std::string types() {
  using B = Cpu<float>;
  std::map<std::string, std::vector<dim_t>> extents;
  for (const Leaf& leaf : list_leaves<B, typename Net::template Params<B>>()) extents[leaf.name] = leaf.shape;
  const ExtentsOf of = [&](const std::string& name) {
    const auto found = extents.find(name);
    return found == extents.end() ? std::vector<dim_t>() : found->second;
  };
  std::string all;
  for (const Family* family : families)
    if (const NetShape shape = family->shape(of); shape.width > 0)
      all += (all.empty() ? "" : "; ") + family->type(shape);
  return all;
}
}  // namespace

TEST_CASE("a net's type is told from its parameters, by its own family alone") {
  CHECK(types<v4::Model<19, 64, 2>>() == "v4::Model<19, 64, 2>");
  CHECK(types<v4::Model<19, 64, 2, 100>>() == "v4::Model<19, 64, 2, 100>");
  CHECK(types<v5::Model<19, 128, 2>>() == "v5::Model<19, 128, 2>");
  CHECK(types<v5::Model<19, 64, 2, 16>>() == "v5::Model<19, 64, 2, 16>");
  CHECK(types<v5::Model<19, 64, 2, 16, v5::Kind::v5_0>>() == "v5::Model<19, 64, 2, 16, v5::Kind::v5_0>");
  CHECK(types<v5::Model<19, 64, 2, 64, v5::Kind::v5_1, 70>>() == "v5::Model<19, 64, 2, 64, v5::Kind::v5_1, 70>");
  CHECK(types<v6::Model<19, 128, 2>>() == "v6::Model<19, 128, 2>");
  CHECK(types<v6::Model<19, 64, 2, 16, 3, 5>>() == "v6::Model<19, 64, 2, 16, 3, 5>");
  CHECK(types<v6::Model<19, 64, 2, 16, 32, 64, 70>>() == "v6::Model<19, 64, 2, 16, 32, 64, 70>");
  CHECK(types<v7::Model<19, 128, 2>>() == "v7::Model<19, 128, 2>");
  CHECK(types<v7::Model<19, 64, 2, 16>>() == "v7::Model<19, 64, 2, 16>");
  CHECK(types<v7::Model<19, 64, 2, 16, 3, 5, 2, 6>>() == "v7::Model<19, 64, 2, 16, 3, 5, 2, 6>");
  CHECK(types<v7::Model<19, 64, 2, 64, 3, 5, 2, 6, 70>>() == "v7::Model<19, 64, 2, 64, 3, 5, 2, 6, 70>");
}
