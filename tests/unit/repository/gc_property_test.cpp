// Random backups that share frames, expiries, pins, collections and crashes of several hosts: no kept backup loses anything, and what is
// stored stays under twice what is needed.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
#include "repository/pack_generations.hpp"
#include "repository/pack_reader.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

constexpr std::size_t kBlock = 8192;

/// A file is blocks, each made from a seed of its own and stored in a frame of its own.
struct PlannedFile {
    std::vector<std::uint64_t> seeds;
    std::vector<Extent> extents;  ///< One a block; no pack: to be written.
};
using Plan = std::map<std::string, PlannedFile>;

std::vector<std::byte> block_of(std::uint64_t seed) {
    std::vector<std::byte> bytes(kBlock);
    std::mt19937_64 random(seed);
    for (std::size_t at = 0; at < kBlock; at += 8) {
        const std::uint64_t word = random();
        std::memcpy(bytes.data() + at, &word, 8);
    }
    return bytes;
}

struct Kept {
    Plan plan;
    bool expired = false, pinned = false;
    bool counts() const { return !expired || pinned; }
};

/// The backups of one host between its steps: it holds its cluster's lease all the while.
struct SlowBackup {
    std::string id;
    Plan plan;
    std::unique_ptr<Lease> lease;
    bool packed = false;
};

class GcProperty : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override { write_segment(repository, 1); }
    void TearDown() override {
        if (!collector) return;
        ::kill(*collector, SIGKILL);
        ::waitpid(*collector, nullptr, 0);
    }

    unsigned any(unsigned below) { return static_cast<unsigned>(random() % below); }

    void step() {
        if ((area_held || repository_held) && any(2) == 0) return other_host();
        if (run && any(3) == 0) return go_on_with_run();
        if (collector && any(3) == 0) return wake_collector();
        switch (any(16)) {
            case 0:
            case 1:
            case 2: return whole_backup();
            case 3: return go_on_with_run();
            case 4:
            case 5:
            case 6: return change("expire");
            case 7: return change(any(2) == 0 ? "pin" : "unpin");
            case 8:
            case 9: return crash();
            case 10: return other_host();
            case 11: return suspend_collector();
            default: return collect(any(3) == 0 ? std::chrono::seconds(3600) : std::chrono::seconds(0));
        }
    }

    /// What a new backup holds: anew, or what a kept one holds with some blocks changed, files come and gone, as an incremental shares.
    Plan make_plan() {
        Plan plan;
        std::vector<const Kept*> parents;
        for (const auto& [id, kept] : backups)
            if (kept.counts()) parents.push_back(&kept);
        if (!parents.empty() && any(5) != 0) plan = parents[any(static_cast<unsigned>(parents.size()))]->plan;
        const unsigned changed = any(4) == 0 ? 2 : 8;
        for (auto& [path, file] : plan)
            for (std::size_t i = 0; i < file.seeds.size(); ++i)
                if (any(changed) == 0) {
                    file.seeds[i] = random();
                    file.extents[i] = {};
                }
        while (plan.size() < 3 || any(3) == 0) {
            PlannedFile file;
            for (unsigned blocks = 1 + any(24); blocks > 0; --blocks) file.seeds.push_back(random());
            file.extents.resize(file.seeds.size());
            plan[fmt::format("{}", 16384 + any(1000))] = file;
        }
        if (any(3) == 0) plan.erase(plan.begin());
        return plan;
    }

    /// After the lease was taken: nothing on the list of garbage is shared.
    static void drop_doomed(const Repository& its, const ClusterArea& area, Plan& plan) {
        const auto listed = read_doomed(its);
        const std::set<std::string> doomed(listed.begin(), listed.end());
        for (auto& [path, file] : plan)
            for (Extent& extent : file.extents)
                if (!extent.pack.empty()) {
                    FrameSet frames;
                    add_frames(frames, extent);
                    if (!may_share(its, area, extent.pack, frames, doomed)) extent = {};
                }
    }
    static void write_packs(const Repository& its, const ClusterArea& area, Plan& plan) {
        PackWriter packs(its, area, 1);
        for (auto& [path, file] : plan) {
            for (std::size_t i = 0; i < file.seeds.size(); ++i) {
                if (!file.extents[i].pack.empty()) continue;
                const auto bytes = block_of(file.seeds[i]);
                std::vector<Extent> extents;
                std::ranges::copy(bytes, packs.frame_space().begin());
                packs.add_frame(bytes.size(), extents);
                file.extents[i] = extents.at(0);
            }
        }
        packs.finish();
    }
    static void publish(const Repository& its, const ClusterArea& area, const std::string& id, const Plan& plan, Lease& lease) {
        Tree tree;
        TreeWriter trees(its, area);
        for (const auto& [path, file] : plan) {
            FileEntry entry;
            entry.path = path;
            entry.size = file.seeds.size() * kBlock;
            entry.extents = file.extents;
            trees.settle_extents(entry);
            tree.entries.push_back(entry);
        }
        Root root;
        root.id = id;
        root.type = "full";
        root.cluster = "main";
        root.system_identifier = kSystem;
        root.timeline = {1};
        root.start = root.stop = {(1u << 20) + std::stoull(id.substr(1))};
        root.first_segment = root.last_segment = segment_name(1);
        root.wal_segment_size = 1u << 20;
        root.trees = {{"base/5", trees.write(tree), tree.entries.size(), {}}};
        publish_backup(its, area, root, [&] { lease.confirm(); });
        write_ledger(its);
    }
    static void take(const Repository& its, const ClusterArea& area, const std::string& id, Plan& plan) {
        Lease lease(its, area.lease_prefix(), "backup run", {});
        drop_doomed(its, area, plan);
        write_packs(its, area, plan);
        publish(its, area, id, plan, lease);
        lease.release();
    }

    std::string next_id() { return fmt::format("b{:04}", ++number); }

    void whole_backup() {
        if (run || area_held) return;
        const auto id = next_id();
        did = "backup " + id;
        Plan plan = make_plan();
        take(repository, area, id, plan);
        backups[id] = {plan, false, false};
    }

    /// A backup that takes its time, while others expire and collect.
    void go_on_with_run() {
        if (!run) {
            if (area_held) return;
            run.emplace();
            run->id = next_id();
            did = "begin " + run->id;
            run->plan = make_plan();
            run->lease = std::make_unique<Lease>(repository, area.lease_prefix(), "backup run", base::Cancellation());
            drop_doomed(repository, area, run->plan);
        } else if (!run->packed) {
            did = "pack " + run->id;
            write_packs(repository, area, run->plan);
            run->packed = true;
        } else {
            did = "publish " + run->id;
            publish(repository, area, run->id, run->plan, *run->lease);
            run->lease->release();
            backups[run->id] = {run->plan, false, false};
            run.reset();
        }
    }

    void change(const std::string& type) {
        if (backups.empty()) return;
        // Mostly old ones, as they expire.
        auto& [id, kept] =
            *std::next(backups.begin(), std::min(any(static_cast<unsigned>(backups.size())), any(static_cast<unsigned>(backups.size()))));
        did = type + " " + id;
        Event event;
        event.type = type;
        event.backup_id = id;
        append_event(repository, area, event);
        if (type == "expire") kept.expired = true;
        if (type != "expire") kept.pinned = type == "pin";
        forget_removed();
    }

    /// A host that dies in the middle of a backup or a collection.
    void crash() {
        static const std::vector<std::string> kBackup{"repository.pack_committed", "repository.tree_committed", "repository.before_root",
                                                      "repository.after_root"};
        static const std::vector<std::string> kGc{"repository.doomed_written", "repository.garbage_removed", "gc.pack_rewritten"};
        const bool gc = run || any(3) > 0;
        if ((gc && (repository_held || collector)) || (!gc && area_held)) return;
        const auto& points = gc ? kGc : kBackup;
        const auto point = fmt::format("{}#{}", points[any(static_cast<unsigned>(points.size()))], 1 + any(4));
        const auto id = gc ? std::string() : next_id();
        Plan plan = gc ? Plan() : make_plan();
        did = "crash at " + point + (gc ? " of gc" : " of backup " + id);
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("HOWDAH_FAULT", point.c_str(), 1);
            try {
                const auto its = place.open();
                if (gc)
                    collect_garbage(its, {.grace = std::chrono::seconds(0)}, {});
                else
                    take(its, area, id, plan);
            } catch (...) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << did;
        // Whether it came so far that the backup counts; its extents are read from there then.
        for (const Backup& backup : list_backups(repository)) {
            if (backup.root.id != id) continue;
            for (const FileEntry& entry : read_tree(repository, area, backup.root.trees.at(0).name).entries) {
                const auto extents = read_extents(repository, area, entry);
                plan[entry.path].extents = split(extents);
            }
            backups[id] = {plan, false, false};
        }
        forget_removed();
    }
    /// One extent a block again.
    static std::vector<Extent> split(const std::vector<Extent>& extents) {
        for (const Extent& extent : extents) EXPECT_EQ(extent.length, kBlock);
        return extents;
    }

    /// Another host takes a lease and lets go of it later; whoever needs it meanwhile is refused.
    void other_host() {
        const bool whole = run || any(2) == 0;
        if (collector && (repository_held || (whole && !area_held))) return;
        bool& held = area_held || (!repository_held && !whole) ? area_held : repository_held;
        const std::string prefix = &held == &repository_held ? kRepositoryLease : area.lease_prefix();
        did = fmt::format("other host {} {}", held ? "releases" : "takes", prefix);
        Chain chain(repository, Kind::lease, prefix);
        LeaseBody body{.held = !held, .token = "00", .holder = {}};
        body.holder = {"other-host", "x/y/1", "postgres", "another run", 1, 1, repository.store().now()};
        ASSERT_TRUE(chain.append(chain.newest(), encode_lease(body)));
        held = !held;
    }

    void collect(std::chrono::seconds grace) {
        did = fmt::format("gc with grace {}", grace.count());
        if (repository_held || collector) {
            EXPECT_THROW(collect_garbage(repository, {grace}, {}), base::Failure);
            return;
        }
        const GcResult result = collect_garbage(repository, {grace}, {});
        compacted += result.compacted;
        deleted += result.deleted;
        forget_removed();
        if (run || area_held) return;
        base::Progress progress("verifying", {}, false);
        for (const Damage& damage : verify_objects(repository, {}, 1, progress, {}, std::chrono::seconds(0)))
            ADD_FAILURE() << damage.object << ": " << damage.what;
        if (grace.count() == 0) expect_small();
    }

    /// A collector that the machine suspends in the middle, while others go on.
    void suspend_collector() {
        if (collector || repository_held) return;
        const std::string point = any(2) == 0 ? "repository.gc_listed" : "repository.gc_confirmed";
        did = "gc suspended at " + point;
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("HOWDAH_TEST_PAUSE", (point + ":" + flag().native()).c_str(), 1);
            try {
                collect_garbage(place.open(), {.grace = std::chrono::seconds(0)}, {});
            } catch (...) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        // It ends without a pause when it has nothing to list.
        int status = 0;
        while (!std::filesystem::exists(flag()))
            if (::waitpid(child, &status, WNOHANG) == child) {
                EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                return forget_removed();
            }
        collector = child;
    }
    void wake_collector() {
        did = "gc goes on";
        int status = 0;
        while (::waitpid(*collector, &status, WNOHANG) == 0) std::filesystem::remove(flag());  // It may come by more than once.
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        collector.reset();
        forget_removed();
    }
    std::filesystem::path flag() const { return place.folder.path() / "suspended"; }

    void expect_small() {
        const Marked needed = mark_needed(repository, {}, false);
        std::uint64_t stored = 0, live = 0;
        for (const Candidate& candidate : list_candidates(repository)) {
            const std::string& object = candidate.object.name;
            EXPECT_TRUE(needed.names.contains(first_generation(object))) << object << " is garbage";
            stored += candidate.object.size.count;
            live += candidate.object.size.count;
            if (candidate.name.kind != Kind::pack) continue;
            const ObjectReader reader(repository.store().open(object), repository.key(), Kind::pack, object);
            const Compaction found = measure_pack(reader, needed.frames.at(first_generation(object)));
            live -= found.stored - found.live;
        }
        EXPECT_LE(stored, 2 * live);
        worst = std::max(worst, live ? static_cast<double>(stored) / static_cast<double>(live) : 1.0);
    }

    /// Backups that expired may be gone from now on, whatever is said of them later.
    void forget_removed() {
        std::erase_if(backups,
                      [&](const auto& backup) { return backup.second.expired && !repository.store().exists(area.root(backup.first)); });
    }

    void expect_whole() {
        EXPECT_TRUE(repository.store().exists(area.wal(segment_name(1))));
        std::map<std::string, Backup> there;
        for (Backup& backup : list_backups(repository)) there.emplace(backup.root.id, backup);
        for (const auto& [id, kept] : backups) {
            if (!kept.counts()) continue;
            ASSERT_TRUE(there.contains(id)) << id << " is gone";
            ASSERT_EQ(there.at(id).damage, "");
            for (const FileEntry& entry : read_tree(repository, area, there.at(id).root.trees.at(0).name).entries) {
                const auto bytes = read_bytes(repository, area, read_extents(repository, area, entry), entry.size);
                const auto& seeds = kept.plan.at(entry.path).seeds;
                ASSERT_EQ(bytes.size(), seeds.size() * kBlock);
                for (std::size_t i = 0; i < seeds.size(); ++i) {
                    const auto expected = block_of(seeds[i]);
                    ASSERT_EQ(std::memcmp(bytes.data() + i * kBlock, expected.data(), kBlock), 0) << id << " " << entry.path;
                }
            }
        }
    }

    Place place{false};
    Repository repository = place.open();
    ClusterArea area = place.area();
    std::mt19937_64 random{GetParam()};
    std::map<std::string, Kept> backups;
    std::optional<SlowBackup> run;
    std::optional<pid_t> collector;  ///< Suspended.
    bool area_held = false, repository_held = false;
    unsigned number = 0;
    std::uint64_t compacted = 0, deleted = 0;
    double worst = 1;
    std::string did;
};

TEST_P(GcProperty, NoKeptBackupLosesAnythingAndLittleIsStoredInVain) {
    for (unsigned number_of_step = 0; number_of_step < 120 && !HasFailure(); ++number_of_step) {
        SCOPED_TRACE(fmt::format("seed {}, step {}", GetParam(), number_of_step));
        did.clear();
        try {
            step();
            expect_whole();
        } catch (const std::exception& failure) {
            ADD_FAILURE() << failure.what();
        }
        if (HasFailure()) ADD_FAILURE() << "after " << did;
        if (backups.size() > 8)
            while (backups.size() > 5) {
                auto& [id, kept] = *backups.begin();
                Event event;
                event.type = "expire";
                event.backup_id = id;
                append_event(repository, area, event);
                backups.erase(backups.begin());
            }
    }
    if (collector) wake_collector();
    expect_whole();
    RecordProperty("compacted", static_cast<int>(compacted));
    std::fprintf(stderr, "seed %u: %u backups, %llu packs compacted, %llu objects deleted, stored at most %.2f times what is needed\n",
                 GetParam(), number, static_cast<unsigned long long>(compacted), static_cast<unsigned long long>(deleted), worst);
}

std::vector<unsigned> seeds() {
    const char* wanted = std::getenv("HOWDAH_TEST_GC_SEEDS");
    std::vector<unsigned> all;
    for (unsigned seed = 1; seed <= (wanted ? static_cast<unsigned>(std::atoi(wanted)) : 6); ++seed) all.push_back(seed);
    return all;
}
INSTANTIATE_TEST_SUITE_P(Seeds, GcProperty, testing::ValuesIn(seeds()));

}  // namespace
}  // namespace howdah::repository::test
