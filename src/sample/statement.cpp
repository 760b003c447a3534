#include "sample/statement.hpp"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "base/failure.hpp"
#include "sample/scripts.hpp"

namespace howdah::sample {
namespace {

base::Failure wrong(std::string_view origin, std::string_view what, std::string_view seen) {
    return {base::FailureKind::operation, fmt::format("workload file {}: {}: {}", origin, what, seen),
            "the header's words are described in samples/marketplace/workload/README.md"};
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes the part before the separator off the front of `rest`; all of it when there is none.
std::string_view take(std::string_view& rest, char separator) {
    const auto at = rest.find(separator);
    const auto part = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return part;
}

ParameterKind range(ParameterKind::Source source, std::string_view origin, std::string_view words, std::string_view rest) {
    const auto low = number(take(rest, ' '));
    const auto high = number(trim(rest));
    if (!low || !high || *low > *high) throw wrong(origin, "two rising numbers are needed", words);
    ParameterKind kind;
    kind.source = source;
    kind.low = *low;
    kind.high = *high;
    return kind;
}

ParameterKind choice(std::string_view origin, std::string_view words, std::string_view rest) {
    ParameterKind kind;
    kind.source = ParameterKind::Source::choice;
    while (!rest.empty()) kind.choices.emplace_back(trim(take(rest, '|')));
    if (kind.choices.empty()) throw wrong(origin, "a choice without texts", words);
    return kind;
}

void header(Statement& statement, std::string_view origin, std::string_view line) {
    auto rest = trim(line.substr(2));
    const auto key = take(rest, ':');
    const auto value = trim(rest);
    if (key == "name") {
        statement.name = value;
    } else if (key == "area") {
        statement.area = value;
    } else if (key == "weight") {
        const auto weight = number(value);
        if (!weight || *weight < 1 || *weight > 100'000) throw wrong(origin, "the weight is not a number from 1", line);
        statement.weight = static_cast<unsigned>(*weight);
    } else if (key == "kind" && (value == "read" || value == "write")) {
        statement.writes = value == "write";
    } else if (key == fmt::format("param {}", statement.parameters.size() + 1)) {
        statement.parameters.push_back(parse_parameter(origin, value));
    } else {
        throw wrong(origin, "an unknown header line", line);
    }
}

}  // namespace

ParameterKind parse_parameter(std::string_view origin, std::string_view words) {
    using Source = ParameterKind::Source;
    auto rest = words;
    const auto first = take(rest, ' ');
    if (first == "integer") return range(Source::integer, origin, words, rest);
    if (first == "days") return range(Source::days, origin, words, rest);
    if (first == "choice") return choice(origin, words, rest);
    ParameterKind kind;
    if (first == "word" || first == "text" || first == "uuid") {
        kind.source = first == "word" ? Source::word : first == "text" ? Source::text : Source::uuid;
        if (!rest.empty()) throw wrong(origin, "a parameter kind that takes nothing", words);
        return kind;
    }
    const auto dot = words.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == words.size() || words.find(' ') != std::string_view::npos) {
        throw wrong(origin, "an unknown parameter kind", words);
    }
    kind.source = Source::column;
    kind.table = words.substr(0, dot);
    kind.column = words.substr(dot + 1);
    return kind;
}

Statement parse_statement(std::string_view origin, std::string_view text) {
    Statement statement;
    while (text.starts_with("--")) header(statement, origin, take(text, '\n'));
    auto sql = trim(text);
    if (sql.ends_with(';')) sql.remove_suffix(1);
    statement.sql = trim(sql);
    if (statement.name.empty() || statement.sql.empty()) throw wrong(origin, "a name and a statement are needed", origin);
    return statement;
}

std::vector<Statement> workload_statements() {
    std::vector<Statement> statements;
    for (const auto& script : scripts("workload")) statements.push_back(parse_statement(script.name, script.text));
    return statements;
}

}  // namespace howdah::sample
