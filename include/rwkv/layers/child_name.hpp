#pragma once
#include <array>
#include <string_view>

#include <rwkv/layers/layer.hpp>

// What a composer calls its children: by their names, or by their place among their siblings. A composer without a name
// is left out of the names of what it composes, unless these would then be called as another child is.
namespace rwkv::detail {

/// The field of a child: `apart` says whether what composers compose is told apart without the composers' place.
template <class L>
constexpr Field field_of(int place, bool apart) {
  if constexpr (requires { L::name; })
    return {.name = L::name.text};
  else if constexpr (requires { L::composes; })
    return apart ? Field{} : Field{.index = place};
  else
    return {.index = place};
}

/// Collects how the names of tensors begin, visiting the fields of a bundle.
struct FirstWords {
  Field* list;  // null: only counts
  int count = 0;
  bool inside = false, found = false;  // below a first word; a tensor below it

  constexpr void operator()(const Field& field, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    const bool begins = !inside && (field.index >= 0 || *field.name != 0);
    if (begins) inside = true, found = false;
    if constexpr (Bundle<Member>)
      Member::fields(*this, member);
    else
      found = true;
    if (!begins) return;
    inside = false;
    if (found && list != nullptr) list[count] = field;
    count += found;
  }
};

template <class... Ls>
constexpr int first_words(Field* list) {
  FirstWords words{list};
  int place = 0;
  const auto visit = [&]<class L>(typename L::template Params<Sizes> p) { words(field_of<L>(place++, true), p); };
  (visit.template operator()<Ls>({}), ...);
  return words.count;
}

/// Whether siblings' tensors are told apart where composers among them are left out of the names.
template <class... Ls>
consteval bool told_apart() {
  constexpr auto left_out = []<class L>() { return field_of<L>(0, true).index < 0 && *field_of<L>(0, true).name == 0; };
  if constexpr (sizeof...(Ls) > 1 && (left_out.template operator()<Ls>() || ...)) {
    std::array<Field, first_words<Ls...>(nullptr)> words;
    first_words<Ls...>(words.data());
    for (std::size_t i = 0; i < words.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (words[i].index == words[j].index && std::string_view(words[i].name) == words[j].name) return false;
  }
  return true;
}

}  // namespace rwkv::detail
