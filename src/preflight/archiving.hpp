#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/units.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

struct ArchivingFacts {
    std::string mode;                    ///< off, on, always.
    std::optional<std::string> command;  ///< None: hidden from this role.
    std::string library;
    bool restart_pending = false;  ///< archive_mode was changed and waits for a restart.
    std::string mode_to_come{};    ///< After the next restart; empty: as now.
};
Finding judge_archiving(const ArchivingFacts& facts);

/// How long a quiet server may keep its newest changes to itself. Zero: for ever.
Finding judge_archive_timeout(std::chrono::seconds timeout, base::Duration rpo, const Thresholds& thresholds);

/// pg_stat_archiver.
struct ArchiverFacts {
    std::int64_t archived = 0, failed = 0;
    std::string last_failed;  ///< The WAL file.
    std::optional<base::Duration> since_archived, since_failed;
};
Finding judge_archiver(const ArchiverFacts& facts);

struct BacklogFacts {
    std::uint64_t ready = 0;
    std::optional<base::Duration> oldest;
};
Finding judge_backlog(const BacklogFacts& facts, base::Duration rpo);

void look_at_archiving(Looker& looker);

}  // namespace howdah::preflight
