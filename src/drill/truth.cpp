#include "drill/truth.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/failure.hpp"

namespace howdah::drill {

namespace {

std::string describe(const sample::TableSum& sum) { return fmt::format("{} rows, checksum {}", sum.rows, sum.checksum); }

}  // namespace

base::Timestamp server_time(postgres::Session& session) {
    const auto text = session.value("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    const auto time = base::parse_timestamp(text);
    if (!time) throw base::Failure(base::FailureKind::operation, fmt::format("the server's time cannot be read: {}", text));
    return *time;
}

Truth record_truth(postgres::Session& session) {
    Truth truth;
    truth.tables = sample::checksums(session, sample::tables(session));
    truth.target = server_time(session);
    return truth;
}

std::vector<TableDifference> compare_with(const Truth& truth, postgres::Session& session) {
    const auto present = sample::tables(session);
    std::vector<std::string> common;
    for (const auto& [name, sum] : truth.tables)
        if (std::find(present.begin(), present.end(), name) != present.end()) common.push_back(name);
    const auto found = sample::checksums(session, common);
    std::vector<TableDifference> differences;
    for (const auto& [name, expected] : truth.tables) {
        const auto sum = found.find(name);
        if (sum != found.end() && sum->second == expected) continue;
        differences.push_back({name, describe(expected), sum == found.end() ? "no such table" : describe(sum->second)});
    }
    return differences;
}

}  // namespace howdah::drill
