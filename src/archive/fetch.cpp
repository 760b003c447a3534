#include "archive/fetch.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>

#include "archive/look_ahead.hpp"
#include "archive/prefetch.hpp"
#include "archive/segment_check.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

namespace {

/// A repository without any WAL of the cluster proves nothing by itself: the cluster's name may be wrong.
class UnknownCluster : public Failure {
public:
    using Failure::Failure;
};

/// One attempt with an open repository.
class FetchRun {
public:
    FetchRun(const base::RepositoryConfig& config, const repository::Repository& repository, const FetchOptions& options)
        : config_(config), options_(options), archive_(repository, repository::ClusterArea(options.cluster, options.system)) {
        if (!options.look_ahead.empty() && !options.dry_run) look_ahead_.emplace(options.look_ahead, repository, archive_.area());
    }

    FetchOutcome run() {
        if (options_.dry_run) return look();
        const bool segment = postgres::classify_wal_file(options_.name) == WalFileKind::segment;
        if (segment && look_ahead_) {
            if (const auto size = look_ahead_->take(options_.name, options_.destination)) return delivered(*size);
            if (!base::guard("T18.look_ahead") && look_ahead_->position()) return FetchOutcome::absent;
        }
        repository::SealContext context;
        const auto bytes = archive_.get(options_.name, context);
        if (!bytes) {
            prove_absence();
            return FetchOutcome::absent;
        }
        if (segment) check_segment(options_.name, *bytes, bytes->size(), options_.system);
        deliver(*bytes, options_.destination);
        return segment ? delivered(bytes->size()) : FetchOutcome::delivered;
    }

private:
    FetchOutcome look() const {
        if (archive_.has(options_.name)) return FetchOutcome::delivered;
        prove_absence();
        return FetchOutcome::absent;
    }

    FetchOutcome delivered(std::uint64_t segment_size) {
        if (look_ahead_) read_ahead(segment_size);
        return FetchOutcome::delivered;
    }

    /// The segment is in place: nothing that goes wrong from here on may turn this into a failure.
    void read_ahead(std::uint64_t segment_size) {
        try {
            const auto current = postgres::parse_segment_name(options_.name, segment_size);
            if (current) start_prefetch(config_, options_, *look_ahead_, *current, segment_size);
        } catch (const std::exception& error) {
            base::log_warning("no WAL is fetched ahead: {}", error.what());
        }
    }

    /// The store said "no such object"; now that must mean something: the same repository is still there and knows this cluster.
    void prove_absence() const {
        if (!base::guard("T18.absence")) return;
        storage::Store& store = archive_.repository().store();
        const auto marker = store.get("repository", {64u << 10});
        if (!marker || marker->find(archive_.repository().id()) == std::string::npos)
            throw Failure(FailureKind::repository,
                          fmt::format("the repository at {} went away while {} was looked up", store.location(), options_.name),
                          "mount it again; the absence of a segment cannot be told without it");
        if (store.list_folders(archive_.area().prefix()).empty())
            throw UnknownCluster(FailureKind::operation,
                                 fmt::format("repository {} holds nothing of cluster {} with system identifier {}", store.location(),
                                             options_.cluster, base::text(options_.system)),
                                 "check --cluster in restore_command: a wrong name must not look like the end of WAL");
        if (archive_.has(options_.name))
            throw Failure(FailureKind::repository, fmt::format("{} appeared while its absence was proven", options_.name),
                          "it is asked for again");
    }

    const base::RepositoryConfig& config_;
    const FetchOptions& options_;
    WalArchive archive_;
    std::optional<LookAhead> look_ahead_;
};

bool beside_standby_signal(const FetchOptions& options) {
    if (!options.standby) return false;
    std::error_code error;
    const fs::path data_directory = fs::absolute(options.destination).lexically_normal().parent_path().parent_path();
    return fs::exists("standby.signal", error) || fs::exists(data_directory / "standby.signal", error);
}

void check_name(const FetchOptions& options) {
    if (postgres::classify_wal_file(options.name) == WalFileKind::other)
        throw Failure(FailureKind::usage, fmt::format("not the name of a WAL file: '{}'", options.name),
                      "restore_command gives wal fetch its %f and %p");
    if (options.destination.empty())
        throw Failure(FailureKind::usage, "no destination was given", "restore_command gives wal fetch its %f and %p");
}

/// Asks the repositories once, in order.
class Round {
public:
    Round(const std::vector<base::RepositoryConfig>& repositories, const FetchOptions& options) {
        for (const auto& config : repositories) {
            if (ask(config, options)) return;
            if (outage_ && repositories.size() > 1)
                base::log_warning("repository {} is passed over for {}: {}", config.name, options.name, text_of(outage_));
        }
    }

    /// Delivered by one, or absent from all of which at least one knows the cluster. Anything else throws what is worst: a failure that
    /// waiting does not mend, else an outage.
    FetchOutcome outcome() const {
        if (delivered_) return FetchOutcome::delivered;
        if (failure_) std::rethrow_exception(failure_);
        if (first_outage_) std::rethrow_exception(first_outage_);
        if (!absent_ && unknown_) std::rethrow_exception(unknown_);
        return FetchOutcome::absent;
    }

private:
    /// Whether it was delivered.
    bool ask(const base::RepositoryConfig& config, const FetchOptions& options) {
        outage_ = nullptr;
        try {
            const repository::Repository repository = repository::Repository::open(config);
            // A backup's label is never kept.
            if (postgres::classify_wal_file(options.name) != WalFileKind::backup_label)
                delivered_ = FetchRun(config, repository, options).run() == FetchOutcome::delivered;
            absent_ = absent_ || !delivered_;
        } catch (const base::Cancelled&) {
            throw;
        } catch (const UnknownCluster&) {
            unknown_ = std::current_exception();
        } catch (const Failure& failure) {
            outage_ = std::current_exception();
            auto& first = failure.kind() == FailureKind::repository ? first_outage_ : failure_;
            if (!first) first = outage_;
        }
        return delivered_;
    }

    static std::string text_of(const std::exception_ptr& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            return error.what();
        }
    }

    bool delivered_ = false, absent_ = false;
    std::exception_ptr outage_, first_outage_, failure_, unknown_;
};

}  // namespace

FetchOutcome fetch(const std::vector<base::RepositoryConfig>& repositories, const FetchOptions& options,
                   const base::Cancellation& cancellation) {
    check_name(options);
    const auto deadline = std::chrono::steady_clock::now() + options.wait;
    for (std::chrono::milliseconds pause{100};; pause = std::min(2 * pause, std::chrono::milliseconds(5000))) {
        try {
            return Round(repositories, options).outcome();
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::repository) throw;
            if (!base::guard("T18.outage")) return FetchOutcome::absent;
            base::log_warning("{} cannot be fetched now: {}", options.name, failure.what());
            if (beside_standby_signal(options)) return FetchOutcome::absent;
            if (std::chrono::steady_clock::now() + pause > deadline) throw;
        }
        if (!cancellation.sleep(pause)) cancellation.check("wal fetch");
    }
}

}  // namespace howdah::archive
