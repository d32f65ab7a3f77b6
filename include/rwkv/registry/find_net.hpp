#pragma once
#include <charconv>
#include <optional>

#include <rwkv/core/error.hpp>
#include <rwkv/models/families.hpp>
#include <rwkv/registry/registered_net.hpp>

namespace rwkv {

/// What a user asks a net for.
struct NetQuery {
  std::string family;  ///< "rwkv4"
  std::string size;    ///< width x layers: "384x6"
  dim_t tokens = 0;    ///< it must know at least so many
  dim_t context = 0;   ///< of one that is missing: see NetShape
};

/// "384x6"
inline std::string size_text(const NetShape& shape) {
  return std::to_string(shape.width) + "x" + std::to_string(shape.layers);
}
/// The width and the layers in such a text, each from 1 to a million; nothing for other texts.
inline std::optional<NetShape> size_in(std::string_view text) {
  constexpr dim_t most = 1'000'000;
  NetShape shape;
  const char* const end = text.data() + text.size();
  const char* const cross = std::from_chars(text.data(), end, shape.width).ptr;
  if (cross == end) return {};
  std::from_chars(cross + 1, end, shape.layers);
  const bool sizes = shape.width >= 1 && shape.width <= most && shape.layers >= 1 && shape.layers <= most;
  return sizes && size_text(shape) == text ? std::optional(shape) : std::nullopt;
}

/// A net of that family and those sizes was not compiled into the program; compile_net can.
struct MissingNet : Error {
  const Family* family;
  NetShape shape;
  template <class... Pieces>
  MissingNet(const Family& of, const NetShape& sizes, const Pieces&... pieces)
      : Error(pieces...), family(&of), shape(sizes) {}
};

namespace detail {

/// The line that would make such a net part of a program.
[[gnu::cold]] inline std::string line_to_add(const std::string& type) {
  return "add \"" + type +
         "\" to the list that rwkv_models is given in the program's CMake files (for this library's own programs " +
         "-DRWKV_PROGRAM_MODELS), and build it again";
}
/// "a, b, c", each once.
[[gnu::cold]] inline std::string listed(std::vector<std::string> words) {
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}
[[noreturn, gnu::cold]] inline void no_such_net(const NetQuery& q) {
  std::vector<std::string> names, sizes;
  dim_t most = 0;
  const Family* family = nullptr;
  for (const Family* each : families)
    if (each->name == q.family) family = each;
  NetShape wanted{.context = 1024, .kind = 2};  // as a net of the family has them, where the program has one
  for (const RegisteredNet* net : registered_nets()) {
    if (net->family == nullptr) continue;
    names.push_back(net->family->name);
    if (net->family->name != q.family) continue;
    wanted = net->shape();
    sizes.push_back(size_text(wanted));
    if (sizes.back() == q.size) most = std::max(most, net->vocabulary);
  }
  if (family == nullptr) {
    std::vector<std::string> known;
    for (const Family* each : families) known.push_back(each->name);
    throw Error("model ", shown(q.family), ": this program has ", listed(names), "; the library has ", listed(known),
                ": add a type to the list that rwkv_models is given in the program's CMake files, and build it again");
  }
  const auto size = size_in(q.size);
  if (!size)
    throw Error("size ", shown(q.size), ": expected width x layers, as in 384x6; this program has ", listed(sizes));
  wanted.vocabulary = std::max<dim_t>(q.tokens, 1), wanted.width = size->width, wanted.layers = size->layers;
  wanted.heads = 0, wanted.hidden = 0, wanted.ranks = {};
  if (q.context > 0) wanted.context = q.context;
  const std::string way_out = line_to_add(family->type(wanted));
  if (most > 0)
    throw MissingNet(*family, wanted, "the tokenizer has ", q.tokens, " tokens, the nets ", q.family, " ", q.size,
                     " of this program know at most ", most, "; ", way_out);
  if (sizes.empty())
    throw MissingNet(*family, wanted, "model ", q.family, ": this program has ", listed(names), "; ", way_out);
  throw MissingNet(*family, wanted, "size ", q.size, ": expected one of ", listed(sizes),
                   ", which this program was built with; ", way_out);
}

}  // namespace detail

/// The registered net of that family and size with the smallest vocabulary that suffices. Error that names what there
/// is, and the line to add.
inline const RegisteredNet& find_net(const NetQuery& q) {
  const RegisteredNet* best = nullptr;
  for (const RegisteredNet* net : registered_nets()) {
    if (net->family == nullptr || net->family->name != q.family || net->vocabulary < q.tokens) continue;
    if (size_text(net->shape()) == q.size && (best == nullptr || net->vocabulary < best->vocabulary)) best = net;
  }
  if (best == nullptr) detail::no_such_net(q);
  return *best;
}
/// The one registered under that type. Error if there is none.
inline const RegisteredNet& find_net(const std::string& type) {
  for (const RegisteredNet* net : registered_nets())
    if (net->type == type) return *net;
  throw Error(shown(type), ": this program was built without it; ", detail::line_to_add(shown(type)));
}

}  // namespace rwkv
