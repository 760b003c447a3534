#include "repository/repair.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/log.hpp"
#include "base/process.hpp"
#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/integrity.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/ledger_difference.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

class Repair {
public:
    Repair(const Repository& repository, bool dry_run, const base::Cancellation& cancellation)
        : repository_(repository), dry_run_(dry_run), cancellation_(cancellation) {}

    /// The ledger first, as every other link is written with its mark; then the leases, and the rest under the repository's.
    RepairResult run() {
        repair(Kind::ledger);
        repair(Kind::lease);
        if (dry_run_) {
            repair(Kind::doomed);
            repair(Kind::event);
            return std::move(result_);
        }
        const bool behind = ledger_is_behind();
        Lease lease(repository_, kRepositoryLease, "repo repair", cancellation_);
        repair(Kind::doomed);
        repair(Kind::event);
        if (behind || !result_.given_up.empty()) write_ledger(repository_);
        lease.release();
        return std::move(result_);
    }

private:
    /// An earlier repair may have ended before its ledger entry. Asked before this one's lease makes everything look busy.
    bool ledger_is_behind() const {
        return std::ranges::any_of(find_ledger_differences(repository_), [](const LedgerDifference& found) { return found.ahead; });
    }

    void repair(Kind kind) {
        for (const ChainPlace& place : chains_of(repository_, {}))
            if (place.kind == kind) repair(place);
    }

    void repair(const ChainPlace& place) {
        cancellation_.check("repairing the repository");
        Chain chain(repository_, place.kind, place.prefix);
        const Remains remains = chain.examine(end_that_others_name(place),
                                              [&](const Link& link) { check_body(place.kind, link.body, chain.link_name(link.number)); });
        if (remains.damage.empty()) return;
        if (place.kind == Kind::lease) require_free(chain, remains);
        if (!dry_run_) chain.give_up(remains, body_of(place.kind, chain, remains));
        for (const auto& [number, what] : remains.damage) {
            if (!dry_run_) base::log_warning("gave up {}: {}", chain.link_name(number), what);
            result_.given_up.push_back({chain.link_name(number), what});
        }
        result_.events_lost = result_.events_lost || place.kind == Kind::event;
    }

    /// The ledger names the ends of the chains, and they the ledger's.
    std::uint64_t end_that_others_name(const ChainPlace& place) const {
        if (place.kind != Kind::ledger) {
            const Chain ledger(repository_, Kind::ledger, kLedgerPrefix);
            const Remains remains =
                ledger.examine(0, [&](const Link& link) { check_body(Kind::ledger, link.body, ledger.link_name(link.number)); });
            return known_end(remains.good.empty() ? std::nullopt : std::optional(remains.good.back()), place.prefix);
        }
        std::uint64_t end = 0;
        for (const ChainPlace& other : chains_of(repository_, {})) {
            if (other.kind == Kind::ledger) continue;
            for (const Link& link : Chain(repository_, other.kind, other.prefix).examine(0, [](const Link&) {}).good)
                end = std::max(end, link.ledger.number);
        }
        return end;
    }

    /// A live holder renews every kLeaseTime / 3, so that after kLeaseTime without a new link there is none.
    void require_free(const Chain& chain, const Remains& remains) const {
        if (remains.end_is_good()) {
            const auto state = look_at_lease(repository_, chain.prefix());
            if (state && state->live)
                throw Failure(FailureKind::locked,
                              fmt::format("damaged lease {} is in use: {} of {}@{}", chain.prefix(), state->holder.operation,
                                          state->holder.user, state->holder.host),
                              "run the repair again when that run has ended");
            return;
        }
        if (repository_.store().now() - remains.modified < kLeaseTime)
            throw Failure(
                FailureKind::locked,
                fmt::format("damaged lease {} may be in use: its newest link is of {}", chain.prefix(), base::text(remains.modified)),
                fmt::format("make sure that no backup and no gc runs, and run the repair again {} minutes after that time",
                            kLeaseTime.count() / 60));
    }

    std::string body_of(Kind kind, const Chain& chain, const Remains& remains) const {
        const std::optional<Link> last = remains.good.empty() ? std::nullopt : std::optional(remains.good.back());
        if (kind == Kind::ledger) return next_ledger_body(repository_, last);
        if (kind == Kind::event) return encode_event(repair_event(chain, remains));
        // Objects of a lost list of garbage are listed anew, with a grace of their own.
        if (kind == Kind::doomed) return remains.end_is_good() ? last->body : encode_doomed({});
        LeaseBody body;
        if (last) body = decode_lease(last->body, chain.link_name(last->number));
        body.held = false;
        return encode_lease(body);
    }

    Event repair_event(const Chain& chain, const Remains& remains) const {
        Event event;
        event.type = "repair";
        event.time = repository_.store().now();
        event.user = base::current_user().name;
        event.host = base::host_name();
        event.text = "gave up";
        for (const auto& [number, what] : remains.damage) event.text += fmt::format(" {} ({})", chain.link_name(number), what);
        return event;
    }

    const Repository& repository_;
    bool dry_run_;
    const base::Cancellation& cancellation_;
    RepairResult result_;
};

}  // namespace

RepairResult repair_chains(const Repository& repository, bool dry_run, const base::Cancellation& cancellation) {
    return Repair(repository, dry_run, cancellation).run();
}

}  // namespace howdah::repository
