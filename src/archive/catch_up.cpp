#include "archive/catch_up.hpp"

#include "archive/filler.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"

namespace howdah::archive {

namespace {

using Clock = std::chrono::steady_clock;

/// One repository's share; the number of files it was given.
std::size_t serve(Destination& lacking, Filler& filler, PushWorker& worker, Clock::time_point deadline,
                  const base::Cancellation& cancellation) {
    std::size_t done = 0, tried = 0;
    std::string lost;
    for (const auto& entry : lacking.backlog.list()) {
        if (entry.differs || cancellation.requested() || (tried > 0 && Clock::now() >= deadline)) break;
        ++tried;
        try {
            if (filler.fill(*lacking.archive, entry.name, worker) == FilledFrom::nowhere) {
                if (lost.empty()) lost = entry.name;
                continue;
            }
            base::fault_point("wal_repositories.after_fill");
            lacking.backlog.remove(entry.name);
            ++done;
        } catch (const Different& failure) {
            lacking.backlog.add(entry.name, true);
            base::log_warning("repository {} is not caught up: {}", lacking.config.name, failure.what());
            break;
        } catch (const base::Failure& failure) {
            base::log_warning("repository {} is not caught up at {}: {}", lacking.config.name, entry.name, failure.what());
            break;
        }
    }
    if (!lost.empty())
        base::log_warning("repository {} lacks {}, which is neither in pg_wal nor in another repository", lacking.config.name, lost);
    return done;
}

}  // namespace

std::size_t catch_up_a_while(Destinations& destinations, const std::filesystem::path& data_directory, std::uint64_t segment_size,
                             int compression_level, Clock::duration longest, const base::Cancellation& cancellation) {
    const auto reachable = destinations.takers();
    std::vector<Destination*> lacking;
    for (Destination* each : reachable)
        if (!each->backlog.list().empty()) lacking.push_back(each);
    if (lacking.empty()) return 0;
    const auto deadline = Clock::now() + longest;
    Filler filler(archives_of(reachable), data_directory, segment_size);
    PushWorker worker(compression_level);
    std::size_t done = 0;
    for (Destination* each : lacking) done += serve(*each, filler, worker, deadline, cancellation);
    if (done > 0) base::log_info("{} WAL file(s) were brought to repositories that lacked them", done);
    return done;
}

}  // namespace howdah::archive
