#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.hpp"
#include "base/units.hpp"
#include "postgres/session.hpp"

namespace howdah::sample {

/// The schema all of it lives in.
inline constexpr std::string_view kSchema = "marketplace";

struct LoadOptions {
    double scale = 1.0;      ///< 1 is about 500 MB; from 0.001 to 50.
    std::uint32_t seed = 1;  ///< Same seed and scale: same rows.
    std::size_t jobs = 2;    ///< Connections loading at once, 1 to 16.
};

struct LoadResult {
    std::size_t tables = 0;
    std::size_t foreign_keys = 0;
    base::Bytes size;  ///< Of the schema's relations, toast and indexes included.
    base::Duration took{};
};

/// Called by loading threads, one at a time, after each finished step.
using LoadProgress = std::function<void(std::size_t done, std::size_t total, std::string_view step)>;

/// Makes the marketplace in the conninfo's database: tables, rows, foreign keys (all validated), statistics. Refuses with a Failure
/// when the schema is there already or the scale is out of range. A load that fails or is cancelled removes what it made and throws.
LoadResult load(const std::string& conninfo, const LoadOptions& options, const base::Cancellation& cancellation = {},
                const LoadProgress& progress = {});

/// Removes the marketplace and all its rows, if it is there.
void drop(postgres::Session& session);
bool loaded(postgres::Session& session);
/// The ordinary tables, sorted by name; unlogged ones only when asked for.
std::vector<std::string> tables(postgres::Session& session, bool with_unlogged = false);

/// What a table holds: its rows, and a sum over hashes of each row's text that does not depend on their order.
struct TableSum {
    std::int64_t rows = 0;
    std::string checksum;
    bool operator==(const TableSum&) const = default;
};
/// The sums of the given tables of the marketplace by name, all taken in one snapshot. Equal content gives equal sums on every server.
std::map<std::string, TableSum> checksums(postgres::Session& session, const std::vector<std::string>& names);

}  // namespace howdah::sample
