#include "repository/gc.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.hpp"
#include "base/log.hpp"
#include "repository/chain.hpp"
#include "repository/damage.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/ledger_difference.hpp"
#include "repository/mark.hpp"
#include "repository/names.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::repository {

using base::Failure;

namespace {

constexpr std::uint64_t kKeptLinks = 64;  ///< Of leases and the ledger.
constexpr std::uint64_t kKeptLists = 8;
constexpr std::chrono::seconds kConfirmEvery{5};

class Collection {
public:
    Collection(const Repository& repository, const GcOptions& options, const base::Cancellation& cancellation)
        : repository_(repository), store_(repository.store()), options_(options), cancellation_(cancellation) {}

    GcResult run() {
        if (!options_.dry_run) lease_.emplace(repository_, kRepositoryLease, "repo gc", cancellation_);
        require_known_roots();
        std::vector<Doomed> doomed = doom();
        const std::vector<Candidate> due = choose_due(doomed);
        if (!options_.dry_run) {
            write_list(doomed, !due.empty());
            base::fault_point("repository.doomed_written");
        }
        base::pause_point("repository.gc_listed", "");
        remove_due(due, doomed);
        remove_temporary_files();
        if (options_.dry_run) return std::move(result_);
        write_list(doomed, false);
        release_dead_leases();
        prune(Kind::doomed, kDoomedPrefix, kKeptLists);
        for (const ClusterArea& area : repository_.areas()) prune(Kind::lease, area.lease_prefix(), kKeptLinks);
        write_ledger(repository_);
        prune(Kind::ledger, kLedgerPrefix, kKeptLinks);
        lease_->release();
        prune(Kind::lease, kRepositoryLease, kKeptLinks);
        return std::move(result_);
    }

private:
    /// A root that the ledger names and nobody expired may come back from another copy: what it needs is no garbage meanwhile.
    void require_known_roots() const {
        for (const LedgerDifference& difference : find_ledger_differences(repository_)) {
            const auto name = parse_object_name(difference.object);
            if (!name || !name->area || name->kind != Kind::root || store_.exists(difference.object)) continue;
            if (!expired_backups(repository_, *name->area).contains(name->last))
                throw_damaged(difference.object, "the ledger names it and it is missing");
        }
    }

    /// Whether a live backup may be writing this object right now.
    static bool young(const Candidate& candidate, const std::map<std::string, base::Timestamp>& live) {
        const auto backup = live.find(candidate.name.area->prefix());
        return backup != live.end() && candidate.object.modified >= backup->second;
    }

    static bool is_needed(const std::string& object, const Marked& needed, const std::set<std::string>& replaced) {
        return needed.names.contains(first_generation(object)) && !replaced.contains(object);
    }

    /// Writes the next generation of packs that are needed for less than half; the list of candidates gets them. What was marked may have
    /// grown when the old generation is due: then the new one turns out to lack something, and it is the one that goes.
    void compact(std::vector<Candidate>& candidates, const Marked& needed, const std::map<std::string, base::Timestamp>& live) {
        std::map<std::string, bool> ever_expired;  ///< By area: where nothing expires no frame dies alone.
        SealContext context;
        for (const auto& [name, generations] : group_packs(candidates)) {
            const Candidate& pack = generations.back();
            const auto frames = needed.frames.find(name);
            const std::string& area = pack.name.area->prefix();
            if (generations.size() > 1 || frames == needed.frames.end() || live.contains(area)) continue;
            if (pack.name.generation == kMostGenerations) continue;
            if (!ever_expired.contains(area)) ever_expired[area] = has_expiries(*pack.name.area);
            if (!ever_expired[area]) continue;
            cancellation_.check("looking at packs");
            auto source = store_.open(pack.object.name);
            if (!source) continue;
            const ObjectReader reader(std::move(source), repository_.key(), Kind::pack, pack.object.name);
            if (!measure_pack(reader, frames->second).worthwhile()) continue;
            ++result_.compacted;
            if (!lease_) continue;
            lease_->confirm_within(kConfirmEvery);
            if (auto next = write_next_generation(repository_, pack, reader, frames->second, context)) candidates.push_back(*next);
        }
    }

    bool has_expiries(const ClusterArea& area) const {
        return std::ranges::any_of(read_events(repository_, area), [](const Event& event) { return event.type == "expire"; });
    }

    /// What no kept root needs: names of the list before with their time, new ones with the present.
    std::vector<Doomed> doom() {
        const auto live = live_backups(repository_);
        std::map<std::string, base::Timestamp> before;
        list_ = lists_.newest();
        if (list_)
            for (const Doomed& object : decode_doomed(list_->body, lists_.link_name(list_->number))) before[object.name] = object.since;
        const Marked needed = mark_needed(repository_, cancellation_, false);
        std::vector<Candidate> candidates = list_candidates(repository_);
        compact(candidates, needed, live);
        const std::set<std::string> replaced = replaced_generations(repository_, candidates, needed);
        const base::Timestamp now = store_.now();
        std::vector<Doomed> doomed;
        for (Candidate& candidate : candidates) {
            const std::string& name = candidate.object.name;
            if (is_needed(name, needed, replaced) || young(candidate, live)) continue;
            const auto known = before.find(name);
            if (known == before.end()) ++result_.doomed;
            doomed.push_back({name, known == before.end() ? now : known->second});
            garbage_.emplace(name, std::move(candidate));
        }
        written_ = std::move(before);
        return doomed;
    }

    /// Those on the list for the whole grace period, roots first, so that no root outlives what it needs, and of a pack's generations the
    /// higher first, as the lowest that is left counts.
    std::vector<Candidate> choose_due(const std::vector<Doomed>& doomed) const {
        const base::Timestamp now = store_.now();
        std::vector<Candidate> due;
        for (const Doomed& object : doomed)
            if (options_.grace.count() == 0 || now - object.since >= options_.grace) due.push_back(garbage_.at(object.name));
        std::ranges::stable_sort(due, {}, [](const Candidate& candidate) {
            return std::pair(candidate.name.kind != Kind::root, kMostGenerations - candidate.name.generation);
        });
        return due;
    }

    /// After the very list that was read at the beginning and nowhere else: a collector that was suspended and taken over would hide
    /// what its successor is about to remove. Who removes writes in any case, so that of two collectors one must fail here.
    void write_list(const std::vector<Doomed>& doomed, bool always) {
        const bool same = doomed.size() == written_.size() &&
                          std::ranges::all_of(doomed, [&](const Doomed& object) { return written_.contains(object.name); });
        if (same && !always) return;
        lease_->confirm();
        base::pause_point("repository.gc_confirmed", "");
        const auto link = lists_.append(list_, encode_doomed(doomed));
        if (!link)
            throw Failure(base::FailureKind::locked,
                          fmt::format("the lease {} was lost to another run, which wrote the list of garbage", kRepositoryLease),
                          "run the command again");
        list_ = link;
        written_.clear();
        for (const Doomed& object : doomed) written_[object.name] = object.since;
    }

    /// The list is out; a backup that takes its lease from here on reads it and reuses nothing on it. One that took it before is either
    /// seen live here, or has published and its root is read by the second marking.
    /// Roots are gone for good before the first object goes that they need, and everything before a list is written without it.
    void remove_due(const std::vector<Candidate>& due, std::vector<Doomed>& doomed) {
        if (due.empty()) return;
        const auto live = live_backups(repository_);
        const Marked needed = mark_needed(repository_, cancellation_, false);
        const std::set<std::string> replaced = replaced_generations(repository_, list_candidates(repository_), needed);
        std::set<std::string> gone;
        bool roots = true;
        if (lease_) lease_->confirm();
        for (const Candidate& candidate : due) {
            cancellation_.check("removing garbage");
            const std::string& name = candidate.object.name;
            if (live.contains(candidate.name.area->prefix()) || is_needed(name, needed, replaced)) continue;
            if (roots && candidate.name.kind != Kind::root) {
                if (lease_) store_.sync_removals();
                roots = false;
            }
            if (lease_) {
                lease_->confirm_within(kConfirmEvery);
                store_.remove(name);
                base::fault_point("repository.garbage_removed");
            }
            ++result_.deleted;
            result_.freed += candidate.object.size;
            result_.names.push_back(name);
            gone.insert(name);
        }
        if (lease_) store_.sync_removals();
        std::erase_if(doomed, [&](const Doomed& object) { return gone.contains(object.name); });
    }

    /// The time is read before the leases: a backup that begins later has no file that old.
    void remove_temporary_files() {
        const base::Timestamp now = store_.now();
        const auto grace = live_backups(repository_).empty() ? options_.grace : std::max(options_.grace, kLeftoverAge);
        for (const storage::Listed& file : store_.leftovers(now - grace, !options_.dry_run)) result_.leftovers += file.size;
    }

    void release_dead_leases() {
        for (const ClusterArea& area : repository_.areas()) {
            const auto state = look_at_lease(repository_, area.lease_prefix());
            if (!state || state->live) continue;
            Chain chain(repository_, Kind::lease, area.lease_prefix());
            const auto newest = chain.newest();
            LeaseBody body = decode_lease(newest->body, chain.link_name(newest->number));
            if (!body.held || body.holder.acquired != state->holder.acquired) continue;
            body.held = false;
            chain.append(newest, encode_lease(body));
            base::log_info("released the lease of a run that died: {}", area.lease_prefix());
        }
    }

    void prune(Kind kind, const std::string& prefix, std::uint64_t keep) {
        Chain chain(repository_, kind, prefix);
        if (chain.list().size() <= 2 * keep) return;
        const auto newest = chain.newest();
        if (kind == Kind::lease && decode_lease(newest->body, chain.link_name(newest->number)).held) return;
        result_.links_pruned += chain.prune(*newest, keep, newest->body);
    }

    const Repository& repository_;
    storage::Store& store_;
    const GcOptions& options_;
    const base::Cancellation& cancellation_;
    GcResult result_;
    std::optional<Lease> lease_;  ///< None in a dry run.
    Chain lists_{repository_, Kind::doomed, kDoomedPrefix};
    std::optional<Link> list_;  ///< The newest list this run knows.
    std::map<std::string, Candidate> garbage_;
    std::map<std::string, base::Timestamp> written_;  ///< The newest list in the repository.
};

}  // namespace

GcResult collect_garbage(const Repository& repository, const GcOptions& options, const base::Cancellation& cancellation) {
    return Collection(repository, options, cancellation).run();
}

}  // namespace howdah::repository
