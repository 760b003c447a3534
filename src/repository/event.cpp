#include "repository/event.hpp"

#include "base/process.hpp"
#include "repository/chain.hpp"
#include "repository/damage.hpp"
#include "repository/documents.hpp"
#include "repository/ledger.hpp"

namespace howdah::repository {

void append_event(const Repository& repository, const ClusterArea& area, Event event) {
    if (event.time == base::Timestamp{}) event.time = repository.store().now();
    if (event.user.empty()) event.user = base::current_user().name;
    if (event.host.empty()) event.host = base::host_name();
    Chain chain(repository, Kind::event, area.event_prefix());
    const std::string body = encode_event(event);
    // An event in the place of a lost one would hide the loss.
    const std::uint64_t known = known_end(repository, area.event_prefix());
    chain.append_anywhere([&](const std::optional<Link>& newest) {
        if ((newest ? newest->number : 0) < known)
            throw DamageFailure(chain.link_name(known), "it is missing: the ledger names it", kRepairHint);
        return body;
    });
    write_ledger(repository);
}

bool is_pinned(const std::vector<Event>& events, const std::string& backup_id, base::Timestamp now) {
    bool pinned = false, expired = false, held = false;
    for (const Event& event : events) {
        if (event.type == "repair") held = expired;
        if (event.backup_id != backup_id) continue;
        if (event.type == "pin") pinned = !event.until || *event.until > now;
        if (event.type == "unpin") pinned = false;
        if (event.type == "expire") expired = true;
        if (event.type == "expire" || event.type == "unpin") held = false;
    }
    return pinned || held;
}

std::vector<Event> read_events(const Repository& repository, const ClusterArea& area) {
    const Chain chain(repository, Kind::event, area.event_prefix());
    std::vector<Event> events;
    for (const Link& link : chain.read()) {
        events.push_back(decode_event(link.body, chain.link_name(link.number)));
        events.back().number = link.number;
    }
    return events;
}

}  // namespace howdah::repository
