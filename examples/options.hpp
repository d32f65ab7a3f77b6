#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/drawing/grouped.hpp>

// What the programs share: options that are refused in plain words, and errors that end a program with status 2.
namespace example {

/// How many letters must be inserted, deleted or replaced to make one word of the other (Levenshtein).
inline std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, diagonal + (a[i] != b[j])}));
  }
  return row.back();
}

/// The program's option that is spelled most like `word`.
inline std::string nearest_option(const CLI::App& app, const std::string& word) {
  std::string best;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      if (best.empty() || distance("--" + name, word) < distance(best, word)) best = "--" + name;
  return best;
}

/// The option's values; what is none of them is answered with the one that is spelled most like it.
inline CLI::Validator one_of(std::vector<std::string> names) {
  std::string all = "one of";
  for (const std::string& name : names) all += (&name == &names.front() ? " " : ", ") + name;
  return CLI::Validator(
      [names, all](std::string& word) {
        if (std::find(names.begin(), names.end(), word) != names.end()) return std::string();
        const auto nearer = [&](auto& a, auto& b) { return distance(a, word) < distance(b, word); };
        return "there is no " + word + ", did you mean " + *std::min_element(names.begin(), names.end(), nearer) +
               "? It is " + all;
      },
      all);
}
template <std::size_t Count>
CLI::Validator one_of(const std::string_view (&names)[Count]) {
  return one_of(std::vector<std::string>(std::begin(names), std::end(names)));
}

/// A bound for readers: 1048576 is 1,048,576, the largest number of a type 2^63 - 1.
template <class T>
std::string bound(T x) {
  if constexpr (std::integral<T>) {
    if (x == std::numeric_limits<T>::max()) return "2^" + std::to_string(std::numeric_limits<T>::digits) + " - 1";
    return drawing::grouped(std::to_string(x));
  } else {
    return rwkv::number_text(x);
  }
}

/// A value that is a number of type T, the whole word in decimal digits, for which `allows` holds; `range` says which
/// those are.
template <class T, class Allows>
CLI::Validator number(const std::string& range, Allows allows) {
  const std::string expected =
      std::string(std::integral<T> ? "a whole number" : "a number") + (range.empty() ? "" : " ") + range;
  return CLI::Validator(
      [=](std::string& word) {
        T value{};
        const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
        // CLI11 reads 010 as eight
        const bool octal = std::integral<T> && word.size() > 1 && word[word[0] == '-'] == '0';
        if (failed == std::errc() && end == word.data() + word.size() && !octal && std::isfinite(double(value)) &&
            allows(value))
          return std::string();
        return "expected " + expected + ", found " + rwkv::in_quotes(word);
      },
      range);
}
/// From low to high, both included.
template <class T>
CLI::Validator between(T low, T high) {
  return number<T>("from " + bound(low) + " to " + bound(high), [=](T x) { return low <= x && x <= high; });
}
template <std::integral T>
CLI::Validator at_least(T low) {
  return between(low, std::numeric_limits<T>::max());
}
inline CLI::Validator positive() {
  return number<double>("above 0", [](double x) { return x > 0; });
}
inline CLI::Validator non_negative() {
  return number<double>("of at least 0", [](double x) { return x >= 0; });
}
inline CLI::Validator finite() {
  return number<double>("", [](double) { return true; });
}
/// Of a stream of random numbers.
inline CLI::Validator seed() {
  return at_least(std::uint64_t{0});
}

/// A program's status, and what went wrong, in one line.
struct Ended {
  int status = 0;
  std::string error = {};
};

/// Reads the options, then runs the program; or `help()`, and says which options there are.
template <class Program, class Help>
Ended attempt(CLI::App& app, int argc, char** argv, Program&& program, Help&& help) {
  const std::string name = app.get_name() + ": ";
  try {
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      help();
      std::fputs(app.help().c_str(), stdout);
      return {};
    }
    return {program()};
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> extras = app.remaining();
    const auto unknown = std::find_if(extras.begin(), extras.end(), [](auto& word) { return word.starts_with("-"); });
    const std::string word = unknown == extras.end() ? extras.front() : unknown->substr(0, unknown->find('='));
    return {2, name + "there is no option " + word + "; did you mean " + nearest_option(app, word) + "? See --help"};
  } catch (const CLI::ParseError& error) {
    return {2, name + error.what() + "; see --help"};
  } catch (const std::exception& error) {
    const rwkv::Error shown(error.what());  // names of files and folders may hold anything
    return {2, name + shown.what()};
  }
}

/// The same, and says what went wrong.
template <class Program>
int run(CLI::App& app, int argc, char** argv, Program&& program) {
  const Ended end = attempt(app, argc, argv, program, [] {});
  if (!end.error.empty()) std::fprintf(stderr, "%s\n", end.error.c_str());
  return end.status;
}

}  // namespace example
