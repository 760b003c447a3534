#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace howdah::archive {

/// Which of a cluster's WAL files one repository lacks although a push of them succeeded, because others took them: an empty file of the
/// WAL file's name for each, in a folder of the state directory. `NAME.differs` says that the repository holds something else under that name,
/// which no catching up mends. A file's time is when the repository began to lack it, by this host's clock. Safe for several threads;
/// PostgreSQL runs one archive_command at a time, and what another process removes or adds meanwhile harms nothing.
class RepositoryBacklog {
public:
    struct Entry {
        std::string name;
        bool differs = false;
    };

    /// `folder` is made, 0700, when the first file is missed.
    explicit RepositoryBacklog(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Durable when it returns. A file that is noted already keeps its time.
    void add(const std::string& name, bool differs) const;
    /// The repository has it now. Called only after its put is durable.
    void remove(const std::string& name) const;
    /// Histories first, then segments, each by name. Failure(operation) when the folder cannot be read.
    std::vector<Entry> list() const;
    /// How long the first of list() is missing; none while nothing is.
    std::optional<base::Duration> oldest_age() const;
    /// The first file that differs.
    std::optional<std::string> differing() const;

    /// The repository was seen down just now, so that the next calls pass it over; not durable, for it is worth seconds only.
    void note_down() const;
    void note_up() const;
    std::optional<base::Duration> since_down() const;

private:
    std::filesystem::path folder_;
};

/// STATE/wal-backlog/CLUSTER/SYSTEM/REPOSITORY: several clusters share a state directory, and an upgraded server begins with other WAL.
std::filesystem::path backlog_folder(const std::filesystem::path& backlogs, const std::string& cluster, base::SystemIdentifier system,
                                     const std::string& repository);

}  // namespace howdah::archive
