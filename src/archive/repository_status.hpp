#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/coverage.hpp"
#include "archive/wal_archive.hpp"
#include "base/config.hpp"

namespace howdah::archive {

/// How one of several repositories does as a place for WAL.
struct RepositoryWal {
    std::string name;
    bool required = false;
    std::string failure;                   ///< Why it cannot be opened or read; empty when it can.
    std::optional<std::string> newest;     ///< Its newest segment.
    std::size_t lacking = 0;               ///< Files that were archived without it.
    std::optional<base::Duration> oldest;  ///< How long it lacks the first of them.
    bool over_limit = false;               ///< Longer than wal.backlog_limit, so that archiving fails while it cannot be reached.
    std::string differs;                   ///< A file under whose name it holds something else than was pushed.
    std::vector<WalGap> gaps;              ///< Segments that it lacks between its own.

    /// Whether nobody has to act: it can be read, lacks nothing, and has no gap.
    bool sound() const { return failure.empty() && lacking == 0 && differs.empty() && gaps.empty(); }
    bool critical() const { return over_limit || !differs.empty() || (required && !failure.empty()); }
};

struct RepositoryStatusOptions {
    std::vector<base::RepositoryConfig> repositories;
    std::vector<std::string> required;
    std::optional<base::Duration> backlog_limit;
    std::filesystem::path backlogs;  ///< As PushOptions names it.
};
/// Never throws for a repository that cannot be read: that is the answer.
std::vector<RepositoryWal> look_at_repositories(const RepositoryStatusOptions& options, const repository::ClusterArea& area,
                                                std::uint64_t segment_size);

}  // namespace howdah::archive
