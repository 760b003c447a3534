#include "repository/verify.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <memory>
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

constexpr std::chrono::milliseconds kBetweenLooks{200};

/// Sentences by object, from all threads.
class Findings {
public:
    void add(const std::string& object, const std::string& what) {
        const std::lock_guard lock(mutex_);
        findings_[object].insert(what);
    }
    bool has(const std::string& object) const { return findings_.contains(object); }
    bool empty() const { return findings_.empty(); }
    /// Those about objects that another look found something about too.
    void keep_common(const Findings& other) {
        std::erase_if(findings_, [&](const auto& finding) { return !other.has(finding.first); });
    }
    void add_all(const Findings& other) {
        for (const auto& [object, sentences] : other.findings_) findings_[object].insert(sentences.begin(), sentences.end());
    }
    /// Whether something rests on an object stored after `limit`.
    bool any_fresh(const std::map<std::string, base::Timestamp>& fresh, base::Timestamp limit) const {
        return std::ranges::any_of(fresh, [&](const auto& each) { return each.second > limit && has(each.first); });
    }
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

/// What one look at names, chains and manifests found.
struct Look {
    Findings findings;
    std::map<std::string, base::Timestamp> fresh;  ///< Objects of findings that may settle: when what they rest on was stored.
    std::map<std::string, std::set<std::string>> needed_by;
};

struct Work {
    storage::Listed listed;
    ObjectName name;
};

class Verification {
public:
    Verification(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                 const base::Cancellation& cancellation, std::chrono::seconds settle, Inspection* inspection)
        : repository_(repository),
          cluster_(cluster),
          jobs_(std::max(jobs, 1u)),
          progress_(progress),
          cancellation_(cancellation),
          settle_(settle),
          inspection_(inspection) {}

    std::vector<Damage> run() {
        auto look = std::make_unique<Look>();
        list(look->findings);
        base::Bytes total;
        for (const Work& work : work_) total += to_read(work);
        progress_.set_total(total);
        read_everything();
        for (const Damage& damage : facts_.found) read_.add(damage.object, damage.what);
        examine(*look);
        const auto begin = std::chrono::steady_clock::now();
        for (bool again = true; again && !look->findings.empty();) {
            auto next = std::make_unique<Look>();
            list(next->findings);
            examine(*next);
            next->findings.keep_common(look->findings);
            look = std::move(next);
            again = look->findings.any_fresh(look->fresh, repository_.store().now() - settle_) &&
                    std::chrono::steady_clock::now() - begin < settle_;
            if (again && !cancellation_.sleep(kBetweenLooks)) cancellation_.check("verifying the repository");
        }
        look->findings.add_all(read_);
        return look->findings.take(look->needed_by);
    }

private:
    /// About how many bytes of it will be read.
    base::Bytes to_read(const Work& work) const {
        if (!inspection_ || (work.name.kind != Kind::pack && work.name.kind != Kind::wal)) return work.listed.size;
        return {static_cast<std::uint64_t>(static_cast<double>(work.listed.size.count) * inspection_->share.percent() / 100)};
    }

    void list(Findings& findings) {
        modified_.clear();
        work_.clear();
        repository_.store().list("", [&](const storage::Listed& listed) {
            modified_[listed.name] = listed.modified;
            auto name = parse_object_name(listed.name);
            if (name && name->area && !cluster_.empty() && name->area->cluster() != cluster_) return;
            if (!name) return findings.add(listed.name, "is no object of a repository");
            if (name->what == ObjectName::What::sealed) work_.push_back({listed, std::move(*name)});
        });
        if (!modified_.contains(kMarkerName)) findings.add(kMarkerName, "is missing");
    }

    void examine(Look& look) {
        Findings& findings = look.findings;
        for (const Damage& damage : check_lines(repository_)) findings.add(damage.object, damage.what);
        for (const Damage& damage : check_chains(repository_, cluster_))
            if (!read_.has(damage.object)) findings.add(damage.object, damage.what);
        guarded(findings, kLedgerPrefix, [&] {
            for (const Damage& damage : find_dead_leases(repository_, cluster_)) findings.add(damage.object, damage.what);
        });
        guarded(findings, kLedgerPrefix, [&] { compare_with_ledger(look); });
        ManifestCheck manifests(repository_, modified_, facts_);
        for (const ClusterArea& area : repository_.areas()) {
            if (!cluster_.empty() && area.cluster() != cluster_) continue;
            manifests.check_area(area, cancellation_);
            manifests.check_wal(area);
        }
        guarded(findings, kRepositoryLease, [&] { manifests.check_doomed(cluster_); });
        for (const Damage& damage : manifests.findings()) findings.add(damage.object, damage.what);
        look.fresh.insert(manifests.fresh().begin(), manifests.fresh().end());
        look.needed_by = manifests.needed_by();
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
                guarded(read_, work.listed.name,
                        [&] { check_object(repository_, work.name, work.listed.name, context, facts_, inspection_); });
                progress_.add(to_read(work));
            }
        } catch (...) {
            const std::lock_guard lock(facts_.mutex);
            stopped_ = std::current_exception();
            next_ = work_.size();
        }
    }

    /// Damage becomes a finding. So does an object that the store cannot read, as long as the store itself is there.
    template <typename Check>
    void guarded(Findings& findings, const std::string& object, const Check& check) {
        try {
            check();
        } catch (const DamageFailure& failure) {
            findings.add(failure.object(), failure.damage());
        } catch (const base::Cancelled&) {
            throw;
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::operation) repository_.store().exists(kMarkerName);
            findings.add(object, failure.what());
        }
    }

    void compare_with_ledger(Look& look) {
        for (const LedgerDifference& difference : find_ledger_differences(repository_)) {
            const auto name = parse_object_name(difference.object);
            if (!cluster_.empty() && name && name->area && name->area->cluster() != cluster_) continue;
            look.findings.add(difference.object, difference.what);
            const auto stored = modified_.find(difference.object);
            if (difference.event) look.fresh[difference.object] = stored == modified_.end() ? repository_.store().now() : stored->second;
        }
    }

    const Repository& repository_;
    std::string cluster_;
    unsigned jobs_;
    base::Progress& progress_;
    const base::Cancellation& cancellation_;
    std::chrono::seconds settle_;
    Inspection* inspection_;
    Findings read_;                                    ///< About objects read by themselves.
    std::map<std::string, base::Timestamp> modified_;  ///< Of all objects, as last listed.
    std::vector<Work> work_;
    std::atomic<std::size_t> next_{0};
    std::exception_ptr stopped_;
    ObjectFacts facts_;
};

}  // namespace

std::vector<Damage> verify_objects(const Repository& repository, const std::string& cluster, unsigned jobs, base::Progress& progress,
                                   const base::Cancellation& cancellation, std::chrono::seconds settle, Inspection* inspection) {
    return Verification(repository, cluster, jobs, progress, cancellation, settle, inspection).run();
}

}  // namespace howdah::repository
