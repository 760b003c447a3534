#include "repository/ledger.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/file.hpp"
#include "base/log.hpp"
#include "repository/damage.hpp"
#include "repository/documents.hpp"
#include "repository/event.hpp"
#include "repository/key_slots.hpp"
#include "repository/lease.hpp"
#include "repository/ledger_difference.hpp"
#include "repository/mark.hpp"
#include "repository/names.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

/// What is in the repository now.
struct Look {
    LedgerBody body;
    std::map<std::string, LedgerMark> marks;  ///< By chain: the ledger entry that its newest link knew.
    std::set<std::string> unreadable;         ///< Chains whose newest link is damaged; verify tells about them.
};

void look_at_chain(const Repository& repository, Kind kind, const std::string& prefix, Look& look) {
    try {
        const auto newest = Chain(repository, kind, prefix).newest();
        if (!newest) return;
        look.body.chains[prefix] = {newest->number, newest->hash};
        look.marks[prefix] = newest->ledger;
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::operation) throw;
        look.unreadable.insert(prefix);
    }
}

/// First or last segment below a timeline's folder; empty when there is none.
std::string end_segment(storage::Store& store, const std::string& prefix, std::vector<std::string> folders, bool last) {
    if (last) std::ranges::reverse(folders);
    for (const std::string& folder : folders) {
        std::string found;
        store.list(prefix + folder + "/", [&](const storage::Listed& listed) {
            const std::string segment = listed.name.substr(listed.name.rfind('/') + 1);
            if (is_segment_name(segment) && (found.empty() || last)) found = segment;
        });
        if (!found.empty()) return found;
    }
    return {};
}

LedgerArea look_at_area(storage::Store& store, const ClusterArea& area) {
    LedgerArea found;
    const auto names = [&](const std::string& prefix, std::vector<std::string>& into) {
        store.list(prefix, [&](const storage::Listed& listed) {
            const std::string name = listed.name.substr(prefix.size());
            if (!name.starts_with('.') && parse_object_name(listed.name)) into.push_back(name);
        });
    };
    names(area.root(""), found.roots);
    names(area.history(""), found.histories);
    for (const std::string& timeline : store.list_folders(area.wal_prefix())) {
        const std::string prefix = area.wal_prefix() + timeline + "/";
        const std::vector<std::string> folders = store.list_folders(prefix);
        const std::string first = end_segment(store, prefix, folders, false);
        if (!first.empty()) found.wal[timeline] = {first, end_segment(store, prefix, folders, true)};
    }
    return found;
}

Look look_around(const Repository& repository) {
    Look look;
    storage::Store& store = repository.store();
    look_at_chain(repository, Kind::lease, kRepositoryLease, look);
    look_at_chain(repository, Kind::doomed, kDoomedPrefix, look);
    store.list(kSlotPrefix, [&](const storage::Listed& listed) {
        auto line = store.get(listed.name, {64u << 10});
        // A slot is known by its present line, right or wrong, but not by one that was only read wrongly.
        if (line && !tag_fits(*line, listed.name, repository.key())) line = store.get(listed.name, {64u << 10});
        if (line) look.body.slots[listed.name] = repository.key().document_hash(Kind::ledger, *line);
    });
    for (const ClusterArea& area : repository.areas()) {
        look_at_chain(repository, Kind::lease, area.lease_prefix(), look);
        look_at_chain(repository, Kind::event, area.event_prefix(), look);
        look.body.areas[area.prefix()] = look_at_area(store, area);
    }
    return look;
}

void add_missing(std::vector<std::string>& into, const std::vector<std::string>& from) {
    for (const std::string& each : from)
        if (!std::ranges::binary_search(into, each)) into.insert(std::ranges::upper_bound(into, each), each);
}

/// Backups of an area that gc may have taken away. None when the events cannot be read: then everything stays on the books.
std::set<std::string> expired_in(const Repository& repository, const std::string& prefix) {
    for (const ClusterArea& area : repository.areas()) {
        if (area.prefix() != prefix) continue;
        try {
            return expired_backups(repository, area);
        } catch (const DamageFailure&) {
            return {};  // Told by the check of chains.
        }
    }
    return {};
}

/// Names that a former version took over from a folder with foreign files in it.
void drop_foreign(const std::string& folder, std::vector<std::string>& names) {
    std::erase_if(names, [&](const std::string& name) { return name.starts_with('.') || !parse_object_name(folder + name); });
}

void keep_area(const Repository& repository, const std::string& prefix, const LedgerArea& before, LedgerArea& now, LedgerChange change) {
    std::vector<std::string> gone;
    std::ranges::set_difference(before.roots, now.roots, std::back_inserter(gone));
    drop_foreign(prefix + "backup/", gone);
    if (!gone.empty()) {
        const std::set<std::string> expired = expired_in(repository, prefix);
        std::erase_if(gone, [&](const std::string& id) { return expired.contains(id); });
    }
    add_missing(now.roots, gone);
    std::vector<std::string> histories = before.histories;
    drop_foreign(prefix + "history/", histories);
    add_missing(now.histories, histories);
    if (change == LedgerChange::wal_removed) return;
    for (const auto& [timeline, ends] : before.wal) {
        const auto [place, added] = now.wal.try_emplace(timeline, ends);
        place->second.first = std::min(place->second.first, ends.first);
        place->second.last = std::max(place->second.last, ends.last);
    }
}

/// What the entry before said and nobody took away on purpose stays said.
void keep_known(const Repository& repository, const LedgerBody& before, LedgerBody& now, LedgerChange change) {
    for (const auto& [prefix, end] : before.chains) {
        const auto [place, added] = now.chains.try_emplace(prefix, end);
        if (place->second.newest <= end.newest) place->second = end;
    }
    for (const auto& slot : before.slots) now.slots.insert(slot);
    for (const auto& [prefix, area] : before.areas) keep_area(repository, prefix, area, now.areas[prefix], change);
}

Chain ledger_chain(const Repository& repository) { return {repository, Kind::ledger, kLedgerPrefix}; }

/// The prefixes below which a live run is at work, so that what is newer than the ledger is no finding yet.
std::set<std::string> busy_areas(const Repository& repository) {
    std::set<std::string> busy;
    const auto live = [&](const std::string& prefix) {
        try {
            const auto state = look_at_lease(repository, prefix);
            return state && state->live;
        } catch (const Failure&) {
            return false;
        }
    };
    const bool all = live(kRepositoryLease);
    if (all) busy.insert("");
    for (const ClusterArea& area : repository.areas())
        if (all || live(area.lease_prefix())) busy.insert(area.prefix());
    return busy;
}

/// Collects the sentences of a comparison.
class Comparison {
public:
    Comparison(const Look& look, const LedgerBody& said, std::set<std::string> busy) : look_(look), said_(said), busy_(std::move(busy)) {}

    void compare_chains(const Repository& repository, std::uint64_t ledger_number) {
        for (const auto& [prefix, end] : said_.chains) {
            if (look_.unreadable.contains(prefix)) continue;
            const auto found = look_.body.chains.find(prefix);
            const std::uint64_t newest = found == look_.body.chains.end() ? 0 : found->second.newest;
            if (newest < end.newest)
                add(link(prefix, end.newest), "is missing: the ledger names it as the newest of its chain");
            else if (newest == end.newest && found->second.hash != end.hash)
                add(link(prefix, newest), "is not the one that the ledger names");
        }
        for (const auto& [prefix, end] : look_.body.chains) {
            const bool lease = prefix.ends_with(kRepositoryLease);
            const auto known = said_.chains.find(prefix);
            const std::uint64_t newest = known == said_.chains.end() ? 0 : known->second.newest;
            if (!lease && end.newest > newest && !busy(prefix)) {
                add(link(prefix, end.newest), kAhead);
                findings.back().event = prefix != kDoomedPrefix;
            }
            check_mark(repository, prefix, ledger_number);
        }
    }

    void compare_slots() {
        for (const auto& [name, hash] : said_.slots) {
            const auto found = look_.body.slots.find(name);
            if (found == look_.body.slots.end())
                add(name, "is missing: the ledger names this key slot");
            else if (found->second != hash)
                add(name, "is not the key slot that the ledger names");
        }
        for (const auto& [name, hash] : look_.body.slots)
            if (!said_.slots.contains(name)) add(name, kAhead);
    }

    void compare_areas(const Repository& repository) {
        for (const auto& [prefix, said] : said_.areas) {
            const auto found = look_.body.areas.find(prefix);
            compare_area(repository, prefix, said, found == look_.body.areas.end() ? LedgerArea{} : found->second);
        }
        for (const auto& [prefix, area] : look_.body.areas)
            for (const std::string& root : area.roots)
                if ((!said_.areas.contains(prefix) || !std::ranges::binary_search(said_.areas.at(prefix).roots, root)) && !busy(prefix))
                    add(prefix + "backup/" + root, kAhead);
    }

    std::vector<LedgerDifference> findings;

private:
    static constexpr const char* kAhead = "is newer than the ledger: a run died before its end, or its ledger entry was removed";

    void add(const std::string& name, const std::string& what) {
        findings.push_back({.object = name, .what = what, .ahead = what == kAhead});
    }
    static std::string link(const std::string& prefix, std::uint64_t number) { return fmt::format("{}{:08}", prefix, number); }
    bool busy(const std::string& prefix) const {
        return std::ranges::any_of(busy_, [&](const std::string& area) { return prefix.starts_with(area); });
    }

    void check_mark(const Repository& repository, const std::string& prefix, std::uint64_t ledger_number) {
        const auto mark = look_.marks.find(prefix);
        if (mark == look_.marks.end() || mark->second.number <= ledger_number) return;
        // The entry may have been written between the two looks.
        if (repository.store().exists(link(kLedgerPrefix, mark->second.number))) return;
        add(link(kLedgerPrefix, mark->second.number), fmt::format("is missing: {} names it", prefix));
    }

    /// A root that expired and that gc took away stays on the books until gc writes them at its end.
    void compare_area(const Repository& repository, const std::string& prefix, const LedgerArea& said, const LedgerArea& found) {
        std::vector<std::string> gone, histories = said.histories;
        std::ranges::set_difference(said.roots, found.roots, std::back_inserter(gone));
        drop_foreign(prefix + "backup/", gone);
        const std::set<std::string> expired = gone.empty() ? std::set<std::string>{} : expired_in(repository, prefix);
        for (const std::string& root : gone)
            if (!expired.contains(root)) add(prefix + "backup/" + root, "is missing: the ledger names this backup");
        drop_foreign(prefix + "history/", histories);
        for (const std::string& history : histories)
            if (!std::ranges::binary_search(found.histories, history))
                add(prefix + "history/" + history, "is missing: the ledger names it");
        for (const auto& [timeline, ends] : said.wal) {
            const auto there = found.wal.find(timeline);
            const TimelineEnds now = there == found.wal.end() ? TimelineEnds{} : there->second;
            if (now.first.empty() || now.first > ends.first)
                add(wal_object_name(prefix, ends.first), "is missing: the ledger names it as the first of its timeline");
            if (now.last < ends.last)
                add(wal_object_name(prefix, ends.last), "is missing: the ledger names it as the last of its timeline");
        }
    }

    const Look& look_;
    const LedgerBody& said_;
    std::set<std::string> busy_;
};

}  // namespace

LedgerMark newest_ledger_mark(const Repository& repository) {
    try {
        const auto newest = ledger_chain(repository).newest();
        return newest ? LedgerMark{newest->number, newest->hash} : LedgerMark{};
    } catch (const DamageFailure& failure) {
        base::log_warning("written without a mark of the ledger: {}", failure.what());
        return {};
    }
}

void write_first_ledger(const Repository& repository) {
    if (!ledger_chain(repository).append(std::nullopt, encode_ledger(look_around(repository).body)))
        throw Failure(FailureKind::operation, fmt::format("another repo init is at work in {}", repository.store().location()),
                      "wait for it, or choose another place");
}

std::string next_ledger_body(const Repository& repository, const std::optional<Link>& newest, LedgerChange change) {
    LedgerBody body = look_around(repository).body;
    if (newest) keep_known(repository, decode_ledger(newest->body, ledger_chain(repository).link_name(newest->number)), body, change);
    return encode_ledger(body);
}

void write_ledger(const Repository& repository, LedgerChange change) {
    Chain chain = ledger_chain(repository);
    chain.append_anywhere([&](const std::optional<Link>& newest) { return next_ledger_body(repository, newest, change); });
}

std::uint64_t known_end(const std::optional<Link>& entry, const std::string& prefix) {
    if (!entry) return 0;
    const LedgerBody said = decode_ledger(entry->body, kLedgerPrefix);
    const auto end = said.chains.find(prefix);
    return end == said.chains.end() ? 0 : end->second.newest;
}

std::uint64_t known_end(const Repository& repository, const std::string& prefix) {
    return known_end(ledger_chain(repository).newest(), prefix);
}

std::vector<LedgerDifference> find_ledger_differences(const Repository& repository) {
    const std::set<std::string> busy = busy_areas(repository);
    const Chain chain = ledger_chain(repository);
    const auto newest = chain.newest();
    if (!newest) return {{.object = chain.link_name(1), .what = "is missing: the repository has no ledger"}};
    const LedgerBody said = decode_ledger(newest->body, chain.link_name(newest->number));
    const Look look = look_around(repository);
    Comparison comparison(look, said, busy);
    comparison.compare_chains(repository, newest->number);
    comparison.compare_slots();
    comparison.compare_areas(repository);
    return comparison.findings;
}

std::vector<std::string> compare_ledger(const Repository& repository) {
    std::vector<std::string> sentences;
    for (const LedgerDifference& difference : find_ledger_differences(repository))
        sentences.push_back(difference.object + " " + difference.what);
    return sentences;
}

}  // namespace howdah::repository
