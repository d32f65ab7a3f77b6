#include <doctest/doctest.h>

#include <rwkv/io/csv_reader.hpp>

using rwkv::CsvReader;
using rwkv::Error;

namespace {
CsvReader reader(std::string_view text) {
  return CsvReader(text, "log.csv", "repeat the run");
}
}  // namespace

TEST_CASE("a CSV file is read line by line, columns by their names") {
  CsvReader log = reader("step,loss,valid_loss\n1,2.5,\n2,1e-05,nan\n");
  const auto loss = log.column("loss"), valid = log.column("valid_loss");
  REQUIRE(log.next());
  CHECK(log.number(loss) == 2.5);
  CHECK(log.cells()[valid].empty());
  REQUIRE(log.next());
  CHECK(log.number(loss) == 1e-5);
  CHECK(log.number(valid) != log.number(valid));
  CHECK(!log.next());
  CHECK(!log.cut());
  log.expect_whole();
}

TEST_CASE("CSV cells in quotes hold commas, quotes and ends of lines; lines may end as on Windows") {
  CsvReader log = reader("a,b\r\n\"x,\"\"y\"\"\n\",\"\"\r\n,z\r\n");
  REQUIRE(log.next());
  CHECK(log.cells() == std::vector<std::string>{"x,\"y\"\n", ""});
  REQUIRE(log.next());
  CHECK(log.cells() == std::vector<std::string>{"", "z"});
  CHECK(!log.next());
}

TEST_CASE("a CSV file that is cut short at any byte gives the whole lines before it, and ends") {
  const std::string text = "a,b\n1,\"2\"\n3,4\n";
  for (std::size_t size = 4; size <= text.size(); ++size) {
    CsvReader log = reader(std::string_view(text).substr(0, size));
    int lines = 0;
    while (log.next()) ++lines;
    CHECK(lines == (size < 10 ? 0 : size < text.size() ? 1 : 2));
    CHECK(log.cut() == (size != 4 && size != 10 && size != text.size()));
  }
  CsvReader log = reader("a,b\n1,2");
  CHECK(!log.next());
  CHECK_THROWS_WITH_AS(log.expect_whole(),
                       "log.csv: line 2: expected its end, found none: the line is cut short; repeat the run", Error);
}

TEST_CASE("a damaged CSV file is refused with line, expected and found") {
  CHECK_THROWS_WITH_AS(reader(""), "log.csv: line 1: expected a line of names, found no bytes; repeat the run", Error);
  CHECK_THROWS_WITH_AS(reader("a,b"), "log.csv: line 1: expected a line of names, found no end of it; repeat the run",
                       Error);
  CHECK_THROWS_WITH_AS(reader("a,b\n").column("c"),
                       "log.csv: line 1: expected a column \"c\", found none of that name; repeat the run", Error);
  CsvReader log = reader("a,b\n1,0x2\n1,\n3\n1,2,3\n");
  REQUIRE(log.next());
  CHECK_THROWS_WITH_AS((void)log.number(1), "log.csv: line 2: expected a number as b, found \"0x2\"; repeat the run",
                       Error);
  REQUIRE(log.next());
  CHECK_THROWS_WITH_AS((void)log.number(1), "log.csv: line 3: expected a number as b, found \"\"; repeat the run",
                       Error);
  CHECK_THROWS_WITH_AS(log.next(), "log.csv: line 4: expected 2 cells, found 1; repeat the run", Error);
  CHECK_THROWS_WITH_AS(log.next(), "log.csv: line 5: expected 2 cells, found 3; repeat the run", Error);
}
