#pragma once
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <rwkv/core/random.hpp>
#include <rwkv/core/size.hpp>
#include <rwkv/core/view.hpp>

// A bundle is a plain struct of views that lists its members once, in `fields`. Initialising, counting, saving,
// printing and stepping an optimizer all go over that list.
namespace rwkv {

/// Where a tensor stands when its first values are written: rows x columns elements, the last extent being the columns.
struct Site {
  dim_t rows, columns;
  int layer, layers;  ///< which block of how many
  Random random;      ///< the tensor's own stream
};

/// How a tensor starts: a named function of its site, with a gain.
struct Init {
  const char* name;
  void (*fill)(const Site&, float gain, std::span<float> values);
  float gain;
};

namespace init {
/// The same value everywhere.
constexpr Init constant(float value, const char* name = "constant") {
  return {name,
          [](const Site&, float gain, std::span<float> values) {
            for (float& x : values) x = gain;
          },
          value};
}
inline constexpr Init zeros = constant(0, "zeros"), ones = constant(1, "ones");
}  // namespace init

/// Everything the library wants to know of one tensor, said once.
struct Field {
  const char* name = "";
  Init init = init::zeros;
  bool decays = false;  ///< weight decay applies
  bool trained =
      true;  ///< false: stays as it starts or was loaded; no gradient (its view is null) and no moments are kept
  float lr_scale = 1;  ///< multiplies the learning rate
  int index = -1;      ///< instead of a name: the position among siblings
  int depth = 0;       ///< > 0: the siblings are a stack of that many blocks
  int turn = -1;       ///< of a block among several of one type: how many stand before it in the stack
};

/// A bundle without members.
struct Empty {
  static constexpr void fields(auto&&, auto&&...) {}
};

namespace detail {
struct AnyVisitor {
  constexpr void operator()(auto&&...) const {}
};
struct AnyMember {
  template <class T>
  constexpr operator T() const;
};
template <class T, class... A>
consteval int member_count() {
  if constexpr (requires { T{A{}..., AnyMember{}}; })
    return member_count<T, A..., AnyMember>();
  else
    return sizeof...(A);
}
}  // namespace detail

/// A struct with `static constexpr void fields(auto&& f, auto&&... p)` that calls f(Field, p.member...) for each
/// member.
template <class T>
concept Bundle = requires(std::remove_const_t<T>& t) {
  std::remove_const_t<T>::fields(detail::AnyVisitor{}, t);
};

/// How many members `fields` lists.
template <Bundle P>
constexpr int field_count() {
  int n = 0;
  P p{};
  P::fields([&](const Field&, auto&) { ++n; }, p);
  return n;
}

/// Whether `fields` lists every member. A bundle may say `borrowed`: views of another's memory that it does not list;
/// one that lists its members' members in their place, or an array, says `unfolds`.
template <Bundle P>
consteval bool lists_every_member() {
  if constexpr (requires { P::unfolds; })
    return true;
  else if constexpr (requires { P::borrowed; })
    return detail::member_count<P>() == field_count<P>() + P::borrowed;
  else
    return detail::member_count<P>() == field_count<P>();
}

/// Where a visit of a bundle's leaves stands: the field of every bundle on the way. It costs two pointers a step, so
/// that visiting many types compiles to little; names are put together when asked for.
struct Path {
  const Path* parent = nullptr;
  const Field* field = nullptr;

  /// The fields' names, dotted.
  std::string name() const {
    if (field == nullptr) return "";
    std::string text = parent->name();
    const std::string word = field->index >= 0 ? std::to_string(field->index) : std::string(field->name);
    if (!text.empty() && !word.empty()) text += '.';
    return text += word;
  }
  /// Whether it is trained: all fields on the way must say so.
  bool trained() const { return field == nullptr || (field->trained && parent->trained()); }
  /// The innermost stack's block, if any: `index` says which, `depth` of how many.
  Field block() const {
    for (const Path* at = this; at->field != nullptr; at = at->parent)
      if (at->field->depth > 0) return *at->field;
    return {.index = 0, .depth = 1};
  }
  /// The turn of the outermost block that has one, else -1.
  int turn() const {
    int found = -1;
    for (const Path* at = this; at->field != nullptr; at = at->parent)
      if (at->field->turn >= 0) found = at->field->turn;
    return found;
  }
};

namespace detail {
/// Says which bundle does not list every member.
template <class P>
struct ForgetfulBundle {
  static_assert(
      lists_every_member<P>(),
      "fields() must list every member of the bundle once, as a forgotten one would be neither initialised "
      "nor saved; how many are views of another's memory, and not listed, `static constexpr int borrowed` says");
};

/// What `fields` of a bundle at `path` calls. One type for all bundles, so that a visit compiles to two functions for
/// each of them and one for each kind of leaf.
template <class F>
struct LeafVisit {
  F& f;
  const Path& path;

  template <class First, class... Rest>
  void operator()(const Field& field, First& first, Rest&... rest) const {
    const Path here{&path, &field};
    if constexpr (Bundle<First>)
      LeafVisit{f, here}.into(first, rest...);
    else
      f(here, field, first, rest...);
  }
  template <class First, class... Rest>
  void into(First& first, Rest&... rest) const {
    using P = std::remove_const_t<First>;
    if constexpr (!lists_every_member<P>()) ForgetfulBundle<P>();
    P::fields(*this, first, rest...);
  }
};
}  // namespace detail

/// f(path, field, leaf, leaf, ...) for every tensor of one or several bundles of the same layer, depth first.
template <class F, Bundle... P>
void for_each_leaf(F&& f, P&... bundles) {
  detail::LeafVisit<std::remove_reference_t<F>>{f, Path{}}.into(bundles...);
}

namespace detail {
/// The sum of size(leaf) over all tensors of a bundle.
template <Bundle P, class Size>
constexpr dim_t sum_leaves(const Size& size) {
  dim_t n = 0;
  P p{};
  P::fields(
      [&](const Field&, auto& member) {
        using Member = std::remove_cvref_t<decltype(member)>;
        if constexpr (Bundle<Member>)
          n = sum(n, sum_leaves<Member>(size));
        else
          n = sum(n, size(member));
      },
      p);
  return n;
}
}  // namespace detail

/// Scalars held for the given sizes; usable at compile time. Every leaf starts on a cache line, see Owned.
template <Bundle P>
constexpr dim_t elements(Seq seq = {}) {
  return detail::sum_leaves<P>(
      [&]<class Member>(const Member&) { return detail::size_at<typename Member::shape>(seq); });
}
/// Their bytes: leaves need not be of one scalar.
template <Bundle P>
constexpr dim_t bytes(Seq seq = {}) {
  return detail::sum_leaves<P>([&]<class Member>(const Member&) {
    return detail::product(detail::size_at<typename Member::shape>(seq), sizeof(typename Member::scalar));
  });
}

}  // namespace rwkv
