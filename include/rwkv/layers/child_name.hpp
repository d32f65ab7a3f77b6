#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include <rwkv/layers/layer.hpp>

// What a composer calls its children: by their names, or by their place among their siblings. A composer without a name
// is left out of the names of what it composes, unless two tensors would then be called alike.
namespace rwkv::detail {

template <class L>
concept LeftOut = requires {
  typename L::composes;
}
&&!requires {
  L::name;
};

/// The field of a child: `apart` says whether tensors are told apart without the place of composers.
template <class L>
constexpr Field field_of(int place, bool apart) {
  if constexpr (requires { L::name; })
    return {.name = L::name.text};
  else if constexpr (requires { typename L::composes; })
    return apart ? Field{} : Field{.index = place};
  else
    return {.index = place};
}

/// Collects the names of tensors, as hashes (FNV-1a), visiting the fields of a bundle.
struct NameHashes {
  std::uint64_t* list;  // null: only counts
  int count = 0;
  std::uint64_t name = 0xCBF29CE484222325;

  constexpr void operator()(const Field& field, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    const std::uint64_t outer = name;
    if (field.index >= 0) add(256 + static_cast<std::uint64_t>(field.index));
    for (const char* c = field.name; *c != 0; ++c) add(static_cast<unsigned char>(*c));
    if (name != outer) add('.');
    if constexpr (Bundle<Member>) {
      Member::fields(*this, member);
    } else {
      if (list != nullptr) list[count] = name;
      ++count;
    }
    name = outer;
  }
  constexpr void add(std::uint64_t letter) { name = (name ^ letter) * 0x100000001B3; }
};

template <class Kind, class... Ls>
constexpr int hash_names(std::uint64_t* list) {
  NameHashes names{list};
  int place = 0;
  const auto visit = [&]<class L>(typename Kind::template of<L, Sizes> p) { names(field_of<L>(place++, true), p); };
  (visit.template operator()<Ls>({}), ...);
  return names.count;
}

/// Whether the tensors of siblings are told apart where composers are left out of their names.
template <class Kind, class... Ls>
consteval bool told_apart() {
  if constexpr (sizeof...(Ls) > 1 && (LeftOut<Ls> || ...)) {
    std::array<std::uint64_t, hash_names<Kind, Ls...>(nullptr)> names{};
    hash_names<Kind, Ls...>(names.data());
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  }
  return true;
}

/// The same of parameters and, as a layer may have no parameters, of states. A cache follows the parameters.
struct Apart {
  bool params, state;
  template <class Kind>
  constexpr bool of() const {
    return std::is_same_v<Kind, StateOf> ? state : params;
  }
};
template <class... Ls>
inline constexpr Apart apart_of{told_apart<ParamsOf, Ls...>(), told_apart<StateOf, Ls...>()};

}  // namespace rwkv::detail
