#include "repository/integrity.hpp"

#include <fmt/core.h>

#include "repository/chain.hpp"
#include "repository/damage.hpp"
#include "repository/documents.hpp"
#include "repository/key_slots.hpp"
#include "repository/ledger.hpp"

namespace howdah::repository {

std::vector<ChainPlace> chains_of(const Repository& repository, const std::string& cluster) {
    std::vector<ChainPlace> places{{Kind::ledger, kLedgerPrefix}, {Kind::lease, kRepositoryLease}, {Kind::doomed, kDoomedPrefix}};
    for (const ClusterArea& area : repository.areas()) {
        if (!cluster.empty() && area.cluster() != cluster) continue;
        places.push_back({Kind::lease, area.lease_prefix()});
        places.push_back({Kind::event, area.event_prefix()});
    }
    return places;
}

void check_body(Kind kind, const std::string& body, const std::string& name) {
    if (kind == Kind::lease) decode_lease(body, name);
    if (kind == Kind::event) decode_event(body, name);
    if (kind == Kind::ledger) decode_ledger(body, name);
    if (kind == Kind::doomed) decode_doomed(body, name);
}

namespace {

std::string line_problem(const Repository& repository, const std::string& name) {
    const auto line = repository.store().get(name, {64u << 10});
    if (!line) return "is missing";
    if (name == kMarkerName) {
        const auto marker = parse_marker(*line);
        if (!marker || marker->id != repository.id()) return "is malformed";
    } else {
        const auto slot = parse_slot(*line);
        if (!slot || slot_name(slot->number) != name) return "is malformed";
    }
    return tag_fits(*line, name, repository.key()) ? "" : "does not authenticate";
}

}  // namespace

std::vector<Damage> check_lines(const Repository& repository) {
    std::vector<std::string> names{kMarkerName};
    repository.store().list(kSlotPrefix, [&](const storage::Listed& listed) { names.push_back(listed.name); });
    std::vector<Damage> damage;
    for (const std::string& name : names) {
        try {
            if (const std::string problem = line_problem(repository, name); !problem.empty()) damage.push_back({name, problem});
        } catch (const base::Failure& failure) {
            if (failure.kind() != base::FailureKind::operation) throw;
            damage.push_back({name, failure.what()});
        }
    }
    if (repository.encrypted() && names.size() == 1) damage.push_back({slot_name(1), "is missing: there is no key slot"});
    return damage;
}

std::vector<Damage> check_chains(const Repository& repository, const std::string& cluster) {
    std::vector<Damage> damage;
    for (const ChainPlace& place : chains_of(repository, cluster)) {
        const Chain chain(repository, place.kind, place.prefix);
        try {
            for (const Link& link : chain.read()) check_body(place.kind, link.body, chain.link_name(link.number));
        } catch (const DamageFailure& failure) {
            damage.push_back({failure.object(), failure.damage()});
        }
    }
    return damage;
}

std::vector<Damage> find_dead_leases(const Repository& repository, const std::string& cluster) {
    std::vector<Damage> damage;
    for (const ChainPlace& place : chains_of(repository, cluster)) {
        if (place.kind != Kind::lease) continue;
        const Chain chain(repository, place.kind, place.prefix);
        const auto before = chain.newest();
        const auto state = look_at_lease(repository, place.prefix);
        if (!state || state->live) continue;
        // A holder that released in between and ended is no dead one.
        const auto newest = chain.newest();
        if (!before || !newest || newest->number != before->number) continue;
        damage.push_back(
            {chain.link_name(newest->number),
             fmt::format("is the lease of a run that died, or its release was removed: {} of {}@{} since {}", state->holder.operation,
                         state->holder.user, state->holder.host, base::text(state->holder.acquired))});
    }
    return damage;
}

}  // namespace howdah::repository
