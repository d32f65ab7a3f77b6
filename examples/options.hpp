#pragma once
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

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

/// Reads the options, then runs the program; whatever goes wrong is said in one line.
template <class Program>
int run(CLI::App& app, int argc, char** argv, Program&& program) {
  try {
    app.parse(argc, argv);
    return program();
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> extras = app.remaining();
    const auto unknown = std::find_if(extras.begin(), extras.end(), [](auto& word) { return word.starts_with("-"); });
    const std::string word = unknown == extras.end() ? extras.front() : unknown->substr(0, unknown->find('='));
    std::fprintf(stderr, "%s: there is no option %s; did you mean %s? See --help\n", app.get_name().c_str(),
                 word.c_str(), nearest_option(app, word).c_str());
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s; see --help\n", app.get_name().c_str(), error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
  }
  return 2;
}

}  // namespace example
