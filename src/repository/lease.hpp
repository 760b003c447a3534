#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/cancellation.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

/// Who holds a lease, as its document says.
struct LeaseHolder {
    std::string host, boot, user, operation;
    int pid = 0;
    std::uint64_t start_ticks = 0;
    base::Timestamp acquired;
};

/// The right to write: numbered objects created if absent; renew, release and take-over create the next. Expiry is by the store's
/// clock. A holder that is dead on this host (pid gone, restarted or host rebooted) is replaced at once; one of another host after
/// kLeaseTime without renewal. A thread renews every kLeaseTime / 3; when it finds the lease lost it asks `cancellation` to stop.
inline constexpr std::chrono::seconds kLeaseTime{900};

class Lease {
public:
    /// Failure(locked) naming the holder when a live run has it.
    Lease(const Repository& repository, std::string prefix, std::string operation, base::Cancellation cancellation);
    /// Releases; a failure to do so is logged.
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// Re-reads the newest link and throws Failure(locked) when it is not ours any more: called just before publishing. When it
    /// returns nobody can take the lease over for kLeaseTime / 2.
    void confirm();
    /// The same, but at most once in `age`: between the steps of work that must not go on for long after a suspended process woke up.
    void confirm_within(std::chrono::seconds age);
    /// Released now, so that a failure shows.
    void release();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Who holds it now, if anybody; `live` says whether it may be taken over.
struct LeaseState {
    LeaseHolder holder;
    bool live = false;
};
std::optional<LeaseState> look_at_lease(const Repository& repository, const std::string& prefix);

/// Prefix of the repository's own lease, taken by expire and gc.
inline constexpr const char* kRepositoryLease = "lease/";

}  // namespace howdah::repository
