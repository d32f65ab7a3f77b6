#include <cstring>

#include <rwkv/models/families.hpp>
#include <rwkv/registry/net_unit.hpp>

#include "expect.hpp"
#include "targets.hpp"

/// Eight bytes for each size of a net. Its type is source text for a compiler, whatever the sizes: names, numbers, and
/// what stands between them.
void fuzz::net_type(std::string_view input) {
  rwkv::NetShape shape;
  const auto next = [&](auto& to) {
    const std::size_t n = std::min(sizeof to, input.size());
    if (n > 0) std::memcpy(&to, input.data(), n);
    input.remove_prefix(n);
  };
  for (rwkv::dim_t* size :
       {&shape.vocabulary, &shape.width, &shape.layers, &shape.heads, &shape.hidden, &shape.context})
    next(*size);
  for (rwkv::dim_t& rank : shape.ranks) next(rank);
  unsigned char kind = 0;
  next(kind);
  shape.kind = kind % 3;
  for (const rwkv::Family* family : rwkv::families) try {
      const std::string type = rwkv::detail::checked_type(*family, shape);
      const std::size_t opening = type.find('<');
      expect(opening < 20 && type.size() < 200 && type.ends_with('>') && type.find('<', opening + 1) == type.npos,
             "one type");
      for (const char c : type)
        expect((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view("_:<>, ").find(c) != std::string_view::npos,
               "nothing but names and numbers");
    } catch (const rwkv::Error& error) {
      expect(std::string_view(error.what()).size() < 2000, "a short message");
    }
}
