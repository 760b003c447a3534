#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/push.hpp"
#include "archive/put_everywhere.hpp"
#include "archive/repository_backlog.hpp"
#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// One repository of a push.
struct Destination {
    base::RepositoryConfig config;
    bool required = false;
    RepositoryBacklog backlog;
    std::optional<repository::Repository> repository;  ///< None: it could not be opened, or was passed over.
    std::optional<WalArchive> archive;
    std::string marker;
    std::exception_ptr failure;  ///< Why this call gives it nothing more.
    bool seen_down = false;      ///< By this call.
};

/// The repositories of one push and the policy over them: which are tried, when a file counts as archived, what is noted of those that
/// lack it. One repository alone is simply required, and nothing is noted. Thread-safe after construction.
class Destinations {
public:
    /// Opens all that are to be tried. One that was seen down within the last 30 seconds is passed over unless it counts as required or
    /// no other can be opened; one that holds another file under a name that was pushed is given nothing but that name until they agree.
    /// Throws the first failure when none can be opened. Writes nothing.
    Destinations(const PushOptions& options, base::SystemIdentifier system);

    bool several() const { return all_.size() > 1; }
    /// Those that did not fail yet, in the configuration's order.
    std::vector<Destination*> takers() const;
    std::span<const std::unique_ptr<Destination>> all() const { return all_; }

    /// Says what became of a file in those that were tried. Returns when the file counts as archived: at least one has it, all that are
    /// required have it, and that the others lack it is noted durably. Otherwise throws why not, the first in order.
    void settle(const std::string& name, std::span<Destination* const> tried, std::span<const PutResult> results);
    /// Whether a file that none of these repositories refuses would be archived now although `lacking` does not get it.
    bool forgiven(const Destination& lacking) const;
    /// One warning for each repository that lacks something.
    void warn() const;

private:
    void open(Destination& destination) const;
    void open_all(const std::string& named);
    bool counts_as_required(const Destination& destination) const;

    const PushOptions& options_;
    base::SystemIdentifier system_;
    std::vector<std::unique_ptr<Destination>> all_;
    mutable std::mutex mutex_;
};

/// The archives of destinations, as put_everywhere takes them.
std::vector<WalArchive*> archives_of(std::span<Destination* const> destinations);

}  // namespace howdah::archive
