#include <rwkv/io/csv_reader.hpp>

#include "expect.hpp"
#include "targets.hpp"

void fuzz::csv(std::string_view input) {
  rwkv::CsvReader reader(input, "log.csv", "take another");
  const std::size_t column = reader.column("a");
  std::size_t lines = 0;
  while (reader.next()) {
    expect(++lines <= input.size(), "no more lines than there are");
    expect(column < reader.cells().size(), "a cell for each name");
    if (!reader.cells()[column].empty()) reader.number(column);
  }
  reader.expect_whole();
}
