#include "archive/catch_up_all.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "archive/filler.hpp"
#include "archive/repository_backlog.hpp"
#include "archive/workers.hpp"
#include "base/hooks.hpp"
#include "base/progress.hpp"
#include "postgres/control_file.hpp"
#include "repository/backups.hpp"

namespace howdah::archive {

namespace {

using base::Failure;

bool is_history(const std::string& name) { return postgres::classify_wal_file(name) == postgres::WalFileKind::history; }

/// The archives of one system identifier, and the work between them.
class Area {
public:
    Area(const CatchUpOptions& options, const std::vector<repository::Repository>& repositories, base::SystemIdentifier system,
         std::filesystem::path data_directory, std::uint64_t segment_size)
        : options_(options), system_(system), segment_size_(segment_size), archives_(make(repositories, options.cluster, system)) {
        std::vector<WalArchive*> all;
        for (auto& archive : archives_) {
            all.push_back(&archive);
            if (!segment_size_) segment_size_ = archive.segment_size().value_or(0);
        }
        filler_.emplace(all, std::move(data_directory), segment_size_);
    }

    void run(CatchUpResult& result, const base::Cancellation& cancellation) {
        if (!segment_size_) return;
        for (WalArchive& to : archives_) {
            CaughtUp caught{
                .repository = to.repository().name(), .system = system_, .lacking = {}, .nowhere = {}, .conflicts = {}, .failures = {}};
            const RepositoryBacklog backlog(backlog_folder(options_.backlogs, options_.cluster, system_, caught.repository));
            look_again(to, backlog, caught);
            if (!options_.dry_run) forget_what_was_let_go(to, backlog);
            caught.lacking = lacking(to, backlog);
            require_one_history(to, caught);
            if (!options_.dry_run && caught.conflicts.empty()) fill(to, backlog, caught, cancellation);
            if (!caught.lacking.empty() || !caught.conflicts.empty()) result.repositories.push_back(std::move(caught));
        }
    }

private:
    static std::vector<WalArchive> make(const std::vector<repository::Repository>& repositories, const std::string& cluster,
                                        base::SystemIdentifier system) {
        std::vector<WalArchive> archives;
        for (const auto& repository : repositories) archives.emplace_back(repository, repository::ClusterArea(cluster, system));
        return archives;
    }

    /// What differed when it was pushed may have been settled since.
    void look_again(WalArchive& to, const RepositoryBacklog& backlog, CaughtUp& caught) {
        PushWorker worker(options_.compression_level);
        for (const auto& entry : backlog.list()) {
            if (!entry.differs) continue;
            if (!caught.conflicts.empty()) return;
            try {
                if (options_.dry_run)
                    caught.conflicts.push_back(fmt::format("{} differed when it was pushed", entry.name));
                else if (filler_->fill(to, entry.name, worker) != FilledFrom::nowhere)
                    backlog.remove(entry.name);
            } catch (const Failure& failure) {
                caught.conflicts.emplace_back(failure.what());
            }
        }
    }

    /// The first segment number that the repository keeps; none while it keeps nothing.
    std::optional<std::uint64_t> floor_of(const WalArchive& archive) const {
        std::optional<std::uint64_t> floor;
        const auto lower = [&](std::uint64_t number) { floor = std::min(floor.value_or(number), number); };
        for (const auto& backup : repository::list_backups(archive.repository(), options_.cluster))
            if (backup.area.system() == system_ && backup.damage.empty()) lower(backup.root.start.value / segment_size_);
        if (floor) return floor;
        for (const auto& name : archive.segments())
            if (const auto segment = postgres::parse_segment_name(name, segment_size_)) lower(segment->number);
        return floor;
    }

    /// Notes of segments that the repository would have let go by now.
    void forget_what_was_let_go(const WalArchive& to, const RepositoryBacklog& backlog) const {
        const auto floor = floor_of(to);
        for (const auto& entry : backlog.list()) {
            const auto segment = postgres::parse_segment_name(entry.name.substr(0, 24), segment_size_);
            if (floor && segment && segment->number < *floor && !entry.differs) backlog.remove(entry.name);
        }
    }

    std::vector<std::string> lacking(const WalArchive& to, const RepositoryBacklog& backlog) const {
        const auto floor = floor_of(to);
        std::set<std::string> histories, segments;
        const auto above = [&](const std::string& name, bool without_floor) {
            const auto segment = postgres::parse_segment_name(name.substr(0, 24), segment_size_);
            return segment && (floor ? segment->number >= *floor : without_floor);
        };
        for (const WalArchive& from : archives_) {
            if (&from == &to) continue;
            for (const auto timeline : from.histories()) histories.insert(postgres::history_name(timeline));
            for (const auto& name : from.segments())
                if (above(name, false)) segments.insert(name);
        }
        for (const auto timeline : to.histories()) histories.erase(postgres::history_name(timeline));
        for (const auto& name : to.segments()) segments.erase(name);
        for (const auto& entry : backlog.list()) {
            if (entry.differs) continue;
            if (is_history(entry.name)) histories.insert(entry.name);
            if (!is_history(entry.name) && above(entry.name, true)) segments.insert(entry.name);
        }
        std::vector<std::string> names(histories.begin(), histories.end());
        names.insert(names.end(), segments.begin(), segments.end());
        return names;
    }

    /// Before anything is written.
    void require_one_history(WalArchive& to, CaughtUp& caught) {
        repository::SealContext context;
        std::set<std::string> said;
        const auto compare = [&](const WalArchive& from, const WalArchive& other) {
            for (const auto& name : caught.lacking) {
                try {
                    if (!is_history(name) && from.has(name)) filler_->require_one_history(from, other, name, context);
                } catch (const Failure& failure) {
                    if (said.insert(failure.what()).second) caught.conflicts.emplace_back(failure.what());
                }
            }
        };
        // What comes from several is of one history only when these are.
        for (const WalArchive& from : archives_)
            for (const WalArchive& other : archives_)
                if (&from != &to && &from != &other) compare(from, other);
    }

    void fill(WalArchive& to, const RepositoryBacklog& backlog, CaughtUp& caught, const base::Cancellation& cancellation) {
        base::Progress progress("catching up " + caught.repository, {caught.lacking.size() * segment_size_}, base::progress_allowed());
        std::mutex mutex;
        std::vector<std::string> differing;
        const auto one = [&](const std::string& name, PushWorker& worker) {
            try {
                const FilledFrom from = filler_->fill(to, name, worker);
                base::fault_point("wal_repositories.after_catch_up");
                if (from != FilledFrom::nowhere) backlog.remove(name);
                std::lock_guard lock(mutex);
                if (from == FilledFrom::nowhere) caught.nowhere.push_back(name);
                if (from == FilledFrom::pg_wal) ++caught.from_pg_wal;
                if (from == FilledFrom::archive) ++caught.from_others;
            } catch (const Different& failure) {
                std::lock_guard lock(mutex);
                caught.conflicts.emplace_back(failure.what());
                differing.push_back(name);
            } catch (const std::exception& failure) {
                std::lock_guard lock(mutex);
                caught.failures.emplace_back(failure.what());
            }
            progress.add({segment_size_});
        };
        // Histories go before any segment, and a conflict or an outage ends the work.
        std::atomic<std::size_t> taken{0};
        PushWorker first(options_.compression_level);
        while (taken < caught.lacking.size() && is_history(caught.lacking[taken])) one(caught.lacking[taken++], first);
        run_workers(worker_count(options_.jobs, caught.lacking.size() - taken, segment_size_), [&] {
            PushWorker worker(options_.compression_level);
            for (std::size_t place = taken++; place < caught.lacking.size() && !cancellation.requested(); place = taken++) {
                {
                    std::lock_guard lock(mutex);
                    if (!caught.conflicts.empty() || !caught.failures.empty()) return;
                }
                one(caught.lacking[place], worker);
            }
        });
        for (const auto& name : differing) backlog.add(name, true);
        cancellation.check("wal catch-up");
        std::sort(caught.nowhere.begin(), caught.nowhere.end());
    }

    const CatchUpOptions& options_;
    base::SystemIdentifier system_;
    std::uint64_t segment_size_;
    std::vector<WalArchive> archives_;
    std::optional<Filler> filler_;
};

std::vector<repository::Repository> open_all(const CatchUpOptions& options, CatchUpResult& result) {
    std::vector<repository::Repository> open;
    std::exception_ptr first;
    for (const auto& config : options.repositories) {
        try {
            open.push_back(repository::Repository::open(config));
        } catch (const Failure& failure) {
            if (!first) first = std::current_exception();
            result.unreachable.push_back(fmt::format("{}: {}", config.name, failure.what()));
        }
    }
    if (open.empty() && first) std::rethrow_exception(first);
    return open;
}

}  // namespace

CatchUpResult catch_up_all(const CatchUpOptions& options, const base::Cancellation& cancellation) {
    CatchUpResult result;
    const auto repositories = open_all(options, result);
    std::set<base::SystemIdentifier> systems;
    for (const auto& repository : repositories)
        for (const auto& area : repository.areas())
            if (area.cluster() == options.cluster) systems.insert(area.system());
    std::optional<postgres::ControlFile> control;
    if (!options.data_directory.empty()) {
        control = postgres::read_control_file(options.data_directory);
        systems.insert(control->system_identifier);
    }
    for (const auto system : systems) {
        const bool own = control && control->system_identifier == system;
        Area(options, repositories, system, own ? options.data_directory : std::filesystem::path(), own ? control->wal_segment_size : 0)
            .run(result, cancellation);
    }
    return result;
}

}  // namespace howdah::archive
