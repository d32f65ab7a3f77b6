#pragma once
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// The sizes that tell one net of a family from another; 0 where the family has no such thing.
struct NetShape {
  dim_t vocabulary = 0, width = 0, layers = 0, heads = 0, hidden = 0;
  dim_t context = 0;                ///< the most tokens of a sequence
  int kind = 0;                     ///< of a family with sub-versions
  std::array<dim_t, 4> ranks = {};  ///< of low-rank products, in the order of the family's type
};

/// The extents of the parameter of that name; none where there is no such parameter.
using ExtentsOf = std::function<std::vector<dim_t>(const std::string& name)>;

/// What the nets of one kind have in common: what programs call them, how they are trained best, and how their
/// parameters show their sizes.
struct Family {
  const char* name;
  double beta2;  ///< of AdamW
  /// The sizes of the net with those parameters; a width of 0 where they are not of this family.
  NetShape (*shape)(const ExtentsOf& parameters);
  /// The net's type, as one writes it: "v4::Model<256, 128, 4>".
  std::string (*type)(const NetShape& shape);
  double eps = 1e-8;  ///< of AdamW
};

namespace detail {

/// How many of "before0after", "before1after", ... there are.
inline dim_t count_blocks(const ExtentsOf& parameters, const std::string& before, const std::string& after) {
  dim_t n = 0;
  const auto name = [&] { return std::string(before).append(std::to_string(n)).append(after); };
  while (!parameters(name()).empty()) ++n;
  return n;
}
/// "name<1, 2, 3>"
inline std::string type_text(std::string name, std::initializer_list<dim_t> sizes) {
  const char* comma = "<";
  for (const dim_t n : sizes) name += comma + std::to_string(n), comma = ", ";
  return name + ">";
}

/// The heads of a transformer whose file does not say how many: 64 wide, as in all released models.
constexpr dim_t usual_heads(dim_t width) {
  return (width + 63) / 64;
}

/// The shape of a transformer with learned positions, from the names of its two tables and of one block's parameter.
inline NetShape transformer_shape(const ExtentsOf& parameters, const std::string& tokens, const std::string& places,
                                  const std::string& before, const std::string& after) {
  const auto table = parameters(tokens), positions = parameters(places);
  if (table.size() != 2 || positions.size() != 2) return {};
  const dim_t layers = count_blocks(parameters, before, after);
  return {table[0], table[1], layers, usual_heads(table[1]), 4 * table[1], positions[0]};
}
inline std::string transformer_type(std::string name, const NetShape& s) {
  const dim_t heads = s.heads ? s.heads : usual_heads(s.width);
  return type_text(std::move(name), {s.vocabulary, s.width, s.layers, heads, s.context});
}

}  // namespace detail
}  // namespace rwkv
