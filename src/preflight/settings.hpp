#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "preflight/databases.hpp"
#include "preflight/finding.hpp"

namespace howdah::preflight {

class Looker;

Finding judge_wal_level(const std::string& level);
/// fsync, full_page_writes: off risks what no backup can give back.
Finding judge_durability(const std::string& setting, bool on);

struct ChecksumFailures {
    std::string database;
    std::int64_t count = 0;
    std::string last;
};
Findings judge_checksums(bool enabled, const std::vector<ChecksumFailures>& failures);

struct StatementsFacts {
    bool preloaded = false;
    std::optional<std::string> available;   ///< Version of the files on the host.
    std::vector<std::string> installed_in;  ///< Databases.
};
Finding judge_statements(const StatementsFacts& facts);

Finding judge_pending_restart(const std::vector<std::string>& names);
Finding judge_unlogged(const std::vector<DatabaseFacts>& databases);

void look_at_settings(Looker& looker);

}  // namespace howdah::preflight
