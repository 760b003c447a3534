#include "repository/verify.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "repository/damage.hpp"
#include "repository/integrity.hpp"
#include "repository/key_slots.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/ledger_difference.hpp"
#include "repository/manifest_check.hpp"
#include "repository/object_check.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

/// Findings of all threads, one an object and sentence.
class Findings {
public:
    void add(const std::string& object, const std::string& what) {
        const std::lock_guard lock(mutex_);
        findings_[object].insert(what);
    }
    bool has(const std::string& object) const { return findings_.contains(object); }
    std::vector<Damage> take(const std::map<std::string, std::set<std::string>>& needed_by) const {
        std::vector<Damage> damage;
        for (const auto& [object, sentences] : findings_) {
            std::string what;
            for (const std::string& sentence : sentences) what += (what.empty() ? "" : "; ") + sentence;
            const auto backups = needed_by.find(object);
            std::string ids;
            if (backups != needed_by.end())
                for (const std::string& id : backups->second) ids += (ids.empty() ? "; needed by backup " : ", ") + id;
            damage.push_back({object, what + ids});
        }
        return damage;
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::set<std::string>> findings_;
};

struct Work {
    storage::Listed listed;
    ObjectName name;
};

class Verification {
public:
    Verification(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                 const base::Cancellation& cancellation)
        : repository_(repository), cluster_(cluster), jobs_(std::max(jobs, 1u)), progress_(progress), cancellation_(cancellation) {}

    std::vector<Damage> run() {
        list();
        read_everything();
        for (const Damage& damage : check_lines(repository_)) findings_.add(damage.object, damage.what);
        for (const Damage& damage : check_chains(repository_, cluster_))
            if (!findings_.has(damage.object)) findings_.add(damage.object, damage.what);
        guarded(kLedgerPrefix, [&] {
            for (const Damage& damage : find_dead_leases(repository_, cluster_)) findings_.add(damage.object, damage.what);
        });
        guarded(kLedgerPrefix, [&] { compare_with_ledger(); });
        ManifestCheck manifests(repository_, sizes_, facts_);
        for (const ClusterArea& area : repository_.areas()) {
            if (!cluster_.empty() && area.cluster() != cluster_) continue;
            manifests.check_area(area, cancellation_);
            manifests.check_wal(area);
        }
        guarded(kRepositoryLease, [&] { manifests.check_doomed(cluster_); });
        for (const Damage& damage : manifests.findings()) findings_.add(damage.object, damage.what);
        return findings_.take(manifests.needed_by());
    }

private:
    void list() {
        base::Bytes total;
        repository_.store().list("", [&](const storage::Listed& listed) {
            sizes_[listed.name] = listed.size.count;
            auto name = parse_object_name(listed.name);
            if (name && name->area && !cluster_.empty() && name->area->cluster() != cluster_) return;
            if (!name) return findings_.add(listed.name, "is no object of a repository");
            if (name->what != ObjectName::What::sealed) return;
            total += listed.size;
            work_.push_back({listed, std::move(*name)});
        });
        if (!sizes_.contains(kMarkerName)) findings_.add(kMarkerName, "is missing");
        progress_.set_total(total);
    }

    void read_everything() {
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < jobs_; ++i) threads.emplace_back([this] { read_some(); });
        for (std::thread& thread : threads) thread.join();
        if (stopped_) std::rethrow_exception(stopped_);
        cancellation_.check("verifying the repository");
    }

    void read_some() {
        SealContext context;
        try {
            for (std::size_t i = next_++; i < work_.size() && !cancellation_.requested(); i = next_++) {
                const Work& work = work_[i];
                guarded(work.listed.name, [&] { check_object(repository_, work.name, work.listed.name, context, facts_); });
                progress_.add(work.listed.size);
            }
        } catch (...) {
            const std::lock_guard lock(facts_.mutex);
            stopped_ = std::current_exception();
            next_ = work_.size();
        }
    }

    /// Damage becomes a finding. So does an object that the store cannot read, as long as the store itself is there.
    template <typename Check>
    void guarded(const std::string& object, const Check& check) {
        try {
            check();
        } catch (const DamageFailure& failure) {
            findings_.add(failure.object(), failure.damage());
        } catch (const base::Cancelled&) {
            throw;
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::operation) repository_.store().exists(kMarkerName);
            findings_.add(object, failure.what());
        }
    }

    void compare_with_ledger() {
        for (const LedgerDifference& difference : find_ledger_differences(repository_)) {
            const auto name = parse_object_name(difference.object);
            if (cluster_.empty() || !name || !name->area || name->area->cluster() == cluster_)
                findings_.add(difference.object, difference.what);
        }
    }

    const Repository& repository_;
    std::string cluster_;
    unsigned jobs_;
    base::Progress& progress_;
    const base::Cancellation& cancellation_;
    Findings findings_;
    std::map<std::string, std::uint64_t> sizes_;
    std::vector<Work> work_;
    std::atomic<std::size_t> next_{0};
    std::exception_ptr stopped_;
    ObjectFacts facts_;
};

}  // namespace

std::vector<Damage> verify_objects(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                                   const base::Cancellation& cancellation) {
    return Verification(repository, cluster, jobs, progress, cancellation).run();
}

}  // namespace howdah::repository
