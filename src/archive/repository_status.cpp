#include "archive/repository_status.hpp"

#include <algorithm>

#include "archive/repository_backlog.hpp"

namespace howdah::archive {

namespace {

void look_inside(RepositoryWal& wal, const base::RepositoryConfig& config, const repository::ClusterArea& area,
                 std::uint64_t segment_size) {
    try {
        const auto repository = repository::Repository::open(config);
        const WalArchive archive(repository, area);
        const auto segments = archive.segments();
        if (!segments.empty()) wal.newest = segments.back();
        if (segment_size) wal.gaps = find_gaps(archive, segment_size);
    } catch (const base::Failure& failure) {
        wal.failure = failure.what();
    }
}

}  // namespace

std::vector<RepositoryWal> look_at_repositories(const RepositoryStatusOptions& options, const repository::ClusterArea& area,
                                                std::uint64_t segment_size) {
    std::vector<RepositoryWal> found;
    for (const auto& config : options.repositories) {
        RepositoryWal& wal = found.emplace_back();
        wal.name = config.name;
        wal.required = std::find(options.required.begin(), options.required.end(), config.name) != options.required.end();
        const RepositoryBacklog backlog(backlog_folder(options.backlogs, area.cluster(), area.system(), config.name));
        wal.lacking = backlog.list().size();
        wal.oldest = backlog.oldest_age();
        wal.over_limit = options.backlog_limit && wal.oldest && *wal.oldest > *options.backlog_limit;
        wal.differs = backlog.differing().value_or("");
        look_inside(wal, config, area, segment_size);
    }
    return found;
}

}  // namespace howdah::archive
