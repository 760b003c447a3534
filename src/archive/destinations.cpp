#include "archive/destinations.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "archive/push_order.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"

namespace howdah::archive {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::chrono::seconds kPassedOver{30};

std::string reason(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return error.what();
    }
}

bool differs(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Different&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace

std::vector<WalArchive*> archives_of(std::span<Destination* const> destinations) {
    std::vector<WalArchive*> archives;
    for (Destination* destination : destinations) archives.push_back(&*destination->archive);
    return archives;
}

Destinations::Destinations(const PushOptions& options, base::SystemIdentifier system) : options_(options), system_(system) {
    for (const auto& config : options.repositories) {
        const bool required = std::find(options.required.begin(), options.required.end(), config.name) != options.required.end();
        all_.push_back(std::make_unique<Destination>(
            Destination{.config = config,
                        .required = required,
                        .backlog = RepositoryBacklog(backlog_folder(options.backlogs, options.cluster, system, config.name)),
                        .repository = {},
                        .archive = {},
                        .marker = {},
                        .failure = {},
                        .seen_down = false}));
    }
    open_all(options.path.filename().string());
}

void Destinations::open(Destination& destination) const {
    try {
        destination.failure = nullptr;
        destination.repository.emplace(repository::Repository::open(destination.config));
        destination.archive.emplace(*destination.repository, repository::ClusterArea(options_.cluster, system_));
        destination.marker = marker_of(destination.repository->store());
    } catch (...) {
        destination.failure = std::current_exception();
        destination.seen_down = true;
    }
}

void Destinations::open_all(const std::string& named) {
    std::vector<Destination*> passed_over;
    for (const auto& each : all_) {
        if (several()) {
            if (const auto differing = each->backlog.differing(); differing && *differing != named) {
                each->failure = std::make_exception_ptr(
                    Failure(FailureKind::operation,
                            fmt::format("repository {} holds another {} than this server archived, and takes no more WAL",
                                        each->config.name, *differing),
                            "docs/use/wal.md says what to do; howdah wal catch-up looks again"));
                continue;
            }
            const auto down = each->backlog.since_down();
            if (down && *down < kPassedOver && !counts_as_required(*each)) {
                each->failure = std::make_exception_ptr(Failure(
                    FailureKind::repository,
                    fmt::format("repository {} was down {} ago and is not tried yet", each->config.name, base::text_duration(*down)),
                    "mend it; what it lacks is brought to it by later pushes"));
                passed_over.push_back(&*each);
                continue;
            }
        }
        open(*each);
    }
    if (!takers().empty()) return;
    for (Destination* each : passed_over) open(*each);
    if (takers().empty()) std::rethrow_exception(all_.front()->failure);
}

std::vector<Destination*> Destinations::takers() const {
    std::lock_guard lock(mutex_);
    std::vector<Destination*> sound;
    for (const auto& each : all_)
        if (!each->failure) sound.push_back(&*each);
    return sound;
}

bool Destinations::counts_as_required(const Destination& destination) const {
    if (destination.required || !several()) return true;
    if (!options_.backlog_limit) return false;
    const auto age = destination.backlog.oldest_age();
    return age && *age > *options_.backlog_limit;
}

bool Destinations::forgiven(const Destination& lacking) const { return !counts_as_required(lacking); }

void Destinations::settle(const std::string& name, std::span<Destination* const> tried, std::span<const PutResult> results) {
    std::lock_guard lock(mutex_);
    std::vector<const Destination*> have, differing;
    for (std::size_t i = 0; i < tried.size(); ++i) {
        if (!results[i].failure) {
            have.push_back(tried[i]);
        } else {
            tried[i]->failure = results[i].failure;
            tried[i]->seen_down = !differs(results[i].failure);
            if (!tried[i]->seen_down) differing.push_back(tried[i]);
        }
    }
    const auto has = [&](const auto& each) { return std::find(have.begin(), have.end(), &*each) != have.end(); };
    for (const auto& each : all_)
        if (!has(each) && (have.empty() ? each->failure != nullptr : counts_as_required(*each))) std::rethrow_exception(each->failure);
    if (!several()) return;
    for (const auto& each : all_) {
        if (has(each)) {
            each->backlog.remove(name);
            each->backlog.note_up();
            continue;
        }
        each->backlog.add(name, std::find(differing.begin(), differing.end(), &*each) != differing.end());
        base::fault_point("wal_repositories.after_backlog");
        if (each->seen_down) each->backlog.note_down();
    }
}

void Destinations::warn() const {
    std::lock_guard lock(mutex_);
    for (const auto& each : all_) {
        if (!each->failure) continue;
        const auto lacking = each->backlog.list();
        const auto age = each->backlog.oldest_age();
        base::log_warning("WAL goes to fewer repositories: {} lacks {} file(s){}: {}", each->config.name, lacking.size(),
                          age ? ", the oldest for " + base::text_duration(*age) : "", reason(each->failure));
    }
}

}  // namespace howdah::archive
