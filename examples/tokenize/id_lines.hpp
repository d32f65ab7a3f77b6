#pragma once
#include <charconv>
#include <string>
#include <vector>

#include <rwkv/text/line_reader.hpp>

namespace example {

/// Numbers of tokens in decimal digits, with spaces between them: calls sink(ids) for the tokens of each line, and for
/// no tokens after it. Error, with the line, for what is no number from 0 to 2^31 - 1.
template <class Sink>
void read_id_lines(const std::string& path, const Sink& sink) {
  rwkv::LineReader lines(path);
  std::vector<std::int32_t> ids;
  for (std::string line; lines.next(line);) {
    ids.clear();
    for (const char *at = line.data(), *end = at + line.size(); at < end;) {
      if (*at == ' ' || *at == '\t' || *at == '\r') {
        ++at;
        continue;
      }
      std::int32_t id = 0;
      const auto [next, failed] = std::from_chars(at, end, id);
      if (failed != std::errc() || id < 0 || (next < end && *next != ' ' && *next != '\t' && *next != '\r'))
        throw rwkv::Error(path, ": line ", lines.number(),
                          ": expected numbers of tokens with spaces between them, found ",
                          rwkv::in_quotes(std::string_view(at, end), 20));
      ids.push_back(id);
      at = next;
    }
    if (!ids.empty()) sink(ids);
    sink(std::span<const std::int32_t>());
  }
}

}  // namespace example
