#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::sample {

/// Where a parameter's values come from (samples/marketplace/workload/README.md has the header's words).
struct ParameterKind {
    enum class Source {
        column,   ///< "products.category_id": of a row of that table; parameters naming one table share the row.
        integer,  ///< "integer 1 9": a whole number, both ends included.
        choice,   ///< "choice a|b|c": one of the texts.
        days,     ///< "days 7 60": a moment that many days before the end of the data.
        word,     ///< "word": what a customer types into the search field.
        text,     ///< "text": a sentence.
        uuid,     ///< "uuid": a new one.
    };
    Source source = Source::integer;
    std::string table;
    std::string column;
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::vector<std::string> choices;
    bool operator==(const ParameterKind&) const = default;
};

/// One statement of the workload. `weight` is its share of the calls relative to the others.
struct Statement {
    std::string name;
    std::string area;
    unsigned weight = 1;
    bool writes = false;
    std::vector<ParameterKind> parameters;  ///< $1 is the first.
    std::string sql;                        ///< Without header and without the closing semicolon.
};

/// Parses a workload file: "-- key: value" lines, then one statement. Failure naming `origin` and the line that is wrong.
Statement parse_statement(std::string_view origin, std::string_view text);
/// "-- param N:" without its number, as it stands in a header. Failure when it is none of the kinds.
ParameterKind parse_parameter(std::string_view origin, std::string_view words);
/// The embedded workload, ordered by name.
std::vector<Statement> workload_statements();

}  // namespace howdah::sample
