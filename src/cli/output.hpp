#pragma once

#include <string>
#include <vector>

namespace howdah::cli {

/// Text to standard output; a failure to write (a closed pipe, a full disk) is Failure(operation).
void print(const std::string& text);

/// Lines for people, each after `begin`: the first hundred, then how many more there are.
void print_lines(const std::string& begin, const std::vector<std::string>& lines);

/// Aligned columns for people: numbers to the right, the heading in bold on a terminal.
class Table {
public:
    explicit Table(std::vector<std::string> headings, std::vector<bool> right_aligned = {});
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    std::string text() const;

private:
    std::vector<std::string> headings_;
    std::vector<bool> right_;
    std::vector<std::vector<std::string>> rows_;
};

enum class Colour { plain, bold, green, red, yellow, dim };
/// The text in a colour when standard output is a terminal and NO_COLOR is not set.
std::string coloured(Colour colour, const std::string& text);
/// Columns of text as a terminal counts them: UTF-8 sequences as one.
std::size_t display_width(const std::string& text);

}  // namespace howdah::cli
