#include "repository/lease.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/random.hpp"
#include "repository/chain.hpp"
#include "repository/documents.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::chrono::seconds kRetry{15};  ///< Between tries to renew while the store does not answer.

/// Time since boot with the time a suspended machine slept, which the steady clock leaves out and the store's clock does not.
std::chrono::nanoseconds elapsed() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Machine, boot and process namespace: only inside the same one can a process id be looked up. The machine's id is kept as a keyed
/// hash, as machine-id(5) asks: one comparison is all that it is for.
struct Place {
    std::string machine, boot;
};
Place this_place(const Repository& repository) {
    const std::string machine = base::read_file_if_exists("/etc/machine-id", {4096}).value_or("");
    struct stat status{};
    const auto space = ::stat("/proc/self/ns/pid", &status) == 0 ? static_cast<std::uint64_t>(status.st_ino) : 0;
    return {machine.empty() ? std::string() : repository.key().content_name("machine", base::as_bytes(machine)),
            fmt::format("{}/{}", base::boot_identifier(), space)};
}

std::string joined(const Place& place) { return place.machine + "/" + place.boot; }

LeaseHolder this_holder(const Repository& repository, std::string operation) {
    const auto ticks = base::process_start_ticks(::getpid());
    return {.host = base::host_name(),
            .boot = joined(this_place(repository)),
            .user = base::current_user().name,
            .operation = std::move(operation),
            .pid = ::getpid(),
            .start_ticks = ticks.value_or(0),
            .acquired = repository.store().now()};
}

/// Whether the holder can be known to be dead: its process on this very boot is gone, or this machine was booted since. A clone of this
/// machine that never changed its id has another boot too, but renews after ours.
bool dead_here(const Repository& repository, const LeaseHolder& holder, base::Timestamp renewed) {
    const Place here = this_place(repository);
    if (holder.host != base::host_name()) return false;
    if (holder.boot == joined(here)) return base::process_has_ended(holder.pid, holder.start_ticks);
    const auto boot_of = [](const std::string& place) {
        const auto first = place.find('/');
        return place.substr(first + 1, place.rfind('/') - first - 1);
    };
    const bool other_boot =
        !here.machine.empty() && holder.boot.starts_with(here.machine + "/") && boot_of(holder.boot) != base::boot_identifier();
    return other_boot && repository.store().now() - renewed > elapsed();
}

bool live(const Repository& repository, const LeaseHolder& holder, base::Timestamp renewed) {
    if (dead_here(repository, holder, renewed)) return false;
    // A hidden process may be another one with the same number: like another host's, it lives as long as it renews.
    const bool visible = base::process_start_ticks(holder.pid).has_value();
    if (visible && holder.host == base::host_name() && holder.boot == joined(this_place(repository))) return true;
    return repository.store().now() - renewed < kLeaseTime;
}

std::string describe(const LeaseHolder& holder) {
    return fmt::format("{} of {}@{} (process {}) since {}", holder.operation, holder.user, holder.host, holder.pid,
                       base::text(holder.acquired));
}

}  // namespace

struct Lease::Impl {
    Impl(const Repository& in, std::string prefix, std::string operation, base::Cancellation stop)
        : repository(&in), chain(in, Kind::lease, std::move(prefix)), cancellation(std::move(stop)) {
        body = {.held = true, .token = base::random_hex(16), .holder = this_holder(in, std::move(operation))};
        while (!try_acquire()) {
        }
        renewer = std::thread([this] { renew_in_time(); });
    }

    bool try_acquire() {
        const auto newest = chain.newest();
        if (newest) {
            const LeaseBody before = decode_lease(newest->body, chain.link_name(newest->number));
            if (before.held && live(*repository, before.holder, newest->modified))
                throw Failure(FailureKind::locked,
                              fmt::format("repository is in use: {} is held by {}", chain.prefix(), describe(before.holder)),
                              "wait until that run has ended");
            if (before.held) base::log_info("taking over from a run that died: {}", describe(before.holder));
        }
        const auto before_write = elapsed();
        const auto link = chain.append(newest, encode_lease(body));
        if (!link) return false;
        mine = *link;
        renewed = confirmed = before_write;
        return true;
    }

    /// With the mutex held. False when another run took the lease.
    bool renew() {
        const auto before_write = elapsed();
        const auto link = chain.append(mine, encode_lease(body));
        if (!link) return false;
        mine = *link;
        renewed = before_write;
        return true;
    }

    /// With the mutex held. The time is taken first: a process that sleeps here has an old confirmation when it wakes up.
    void confirm() {
        const auto begin = elapsed();
        const auto newest = chain.newest();
        const bool ours = newest && newest->number == mine.number && newest->hash == mine.hash;
        const bool fresh = begin - renewed < kLeaseTime / 2;
        if (!ours || (!fresh && !renew()))
            throw Failure(FailureKind::locked, fmt::format("the lease {} was lost to another run", chain.prefix()),
                          "run the command again");
        confirmed = begin;
    }

    void renew_in_time() {
        std::unique_lock lock(mutex);
        std::chrono::seconds wait = kLeaseTime / 3;
        while (!wake.wait_for(lock, wait, [this] { return ended; })) {
            wait = kLeaseTime / 3;
            try {
                if (renew()) continue;
                base::log_error("the lease {} was lost to another run; stopping", chain.prefix());
                return cancellation.request();
            } catch (const std::exception& failure) {
                base::log_warning("the lease {} could not be renewed: {}", chain.prefix(), failure.what());
                wait = kRetry;
            }
            if (elapsed() - renewed < kLeaseTime - 4 * kRetry) continue;
            base::log_error("the lease {} could not be renewed in time; stopping", chain.prefix());
            return cancellation.request();
        }
    }

    void stop_renewing() {
        {
            const std::lock_guard lock(mutex);
            ended = true;
        }
        wake.notify_all();
        if (renewer.joinable()) renewer.join();
    }

    void release() {
        stop_renewing();
        if (released) return;
        released = true;
        body.held = false;
        if (!chain.append(mine, encode_lease(body)))
            throw Failure(FailureKind::locked, fmt::format("the lease {} was lost to another run before it was released", chain.prefix()),
                          "look at what that run did: howdah backup list");
    }

    const Repository* repository;
    Chain chain;
    base::Cancellation cancellation;
    LeaseBody body;
    Link mine;
    std::mutex mutex;
    std::condition_variable wake;
    bool ended = false, released = false;
    std::chrono::nanoseconds renewed{}, confirmed{};  ///< As elapsed() said before the store was asked.
    std::thread renewer;
};

Lease::Lease(const Repository& repository, std::string prefix, std::string operation, base::Cancellation cancellation)
    : impl_(std::make_unique<Impl>(repository, std::move(prefix), std::move(operation), std::move(cancellation))) {}

Lease::~Lease() {
    try {
        impl_->release();
    } catch (const std::exception& failure) {
        base::log_warning("lease {} could not be released: {}", impl_->chain.prefix(), failure.what());
    }
}

void Lease::confirm() {
    const std::lock_guard lock(impl_->mutex);
    impl_->confirm();
}

void Lease::confirm_within(std::chrono::seconds age) {
    const std::lock_guard lock(impl_->mutex);
    if (elapsed() - impl_->confirmed >= age) impl_->confirm();
}

void Lease::release() { impl_->release(); }

std::optional<LeaseState> look_at_lease(const Repository& repository, const std::string& prefix) {
    const Chain chain(repository, Kind::lease, prefix);
    const auto newest = chain.newest();
    if (!newest) return std::nullopt;
    const LeaseBody body = decode_lease(newest->body, chain.link_name(newest->number));
    if (!body.held) return std::nullopt;
    return LeaseState{body.holder, live(repository, body.holder, newest->modified)};
}

}  // namespace howdah::repository
