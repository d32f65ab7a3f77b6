// check_report FOLDER: the tables of report.html hold the numbers of results.csv, length.csv and writing.csv, character
// by character, and the page needs nothing from elsewhere.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <rwkv/io/csv_reader.hpp>
#include <rwkv/io/mapped_file.hpp>

using Rows = std::vector<std::vector<std::string>>;

std::string read(const std::string& path) {
  return std::string(rwkv::MappedFile(path).text());
}

Rows rows_of_csv(const std::string& path) {
  const std::string text = read(path);
  rwkv::CsvReader file(text, path, "repeat the command of the study");
  Rows rows{file.names()};
  while (file.next()) rows.push_back(file.cells());
  file.expect_whole();
  return rows;
}

std::string unescaped(std::string text) {
  for (const auto& [name, c] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&#39;", "'"}, {"&amp;", "&"}})
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += 1)
      text.replace(at, std::string(name).size(), c);
  return text;
}
/// The cells of the table with that id.
Rows rows_of_html(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find("<table id='" + id + "'>"), end = page.find("</table>", begin);
  if (begin == std::string::npos || end == std::string::npos) throw rwkv::Error("report.html: has no table ", id);
  Rows rows;
  for (std::size_t at = page.find('<', begin + 1); at < end; at = page.find('<', at + 1)) {
    if (page.compare(at, 4, "<tr>") == 0) rows.emplace_back();
    if (page.compare(at, 3, "<td") != 0 && page.compare(at, 3, "<th") != 0) continue;
    if (rows.empty()) throw rwkv::Error("report.html: has a cell before the first row of its table ", id);
    const std::size_t from = page.find('>', at) + 1;
    std::string cell = unescaped(page.substr(from, page.find('<', from) - from));
    if (page.compare(at, 14, "<td class='n'>") == 0) std::erase(cell, ',');  // between thousands
    rows.back().push_back(cell);
  }
  return rows;
}

/// Every element that is opened is closed, in order.
void check_elements(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) throw rwkv::Error("report.html: ends within an element");
    if (page[at + 1] == '!') continue;
    if (page[end - 1] == '/' || page.compare(at, 5, "<meta") == 0) continue;
    const bool closes = page[at + 1] == '/';
    const std::size_t from = at + 1 + closes;
    const std::string name = page.substr(from, page.find_first_of(" >", from) - from);
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      throw rwkv::Error("report.html: </", name, "> closes <", open.empty() ? "" : open.back(), ">");
    } else {
      open.pop_back();
    }
  }
  if (!open.empty()) throw rwkv::Error("report.html: <", open.back(), "> is never closed");
}

/// The table of that name, in the page and as CSV.
void check_table(const std::string& page, const std::string& folder, const std::string& id) {
  const Rows html = rows_of_html(page, id), csv = rows_of_csv(folder + "/" + id + ".csv");
  if (html.size() != csv.size() || csv.size() < 2)
    throw rwkv::Error(id, ": expected as many rows, found ", html.size(), " in report.html and ", csv.size(), " in ",
                      id, ".csv");
  for (std::size_t r = 1; r < csv.size(); ++r)
    if (html[r] != csv[r]) throw rwkv::Error(id, ": row ", r, " of report.html and of ", id, ".csv differ");
  std::printf("%s: %zu rows, %zu columns: equal\n", id.c_str(), csv.size() - 1, csv[0].size());
}

int main(int argc, char** argv) {
  try {
    const std::string folder = argc > 1 ? argv[1] : "compare", page = read(folder + "/report.html");
    check_elements(page);
    for (const char* outside : {"src=", "href=", "<script", "@import", "url("})
      if (page.find(outside) != std::string::npos) throw rwkv::Error("report.html: has ", outside);
    if (page.find("nan") != std::string::npos && page.find("='nan") != std::string::npos)
      throw rwkv::Error("report.html: draws NaN");
    check_table(page, folder, "results");
    for (const char* id : {"length", "writing"})
      if (std::filesystem::exists(folder + "/" + id + ".csv")) check_table(page, folder, id);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "check_report: %s\n", error.what());
    return 1;
  }
}
