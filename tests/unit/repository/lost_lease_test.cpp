#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "base/file.hpp"
#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;
using base::FailureKind;

/// A run in a process of its own that waits at a pause point, as one that the machine suspended there.
class Suspended {
public:
    Suspended(const Place& place, const std::string& point, const std::function<void(const Repository&)>& work) {
        const fs::path flag = place.folder.path() / "paused";
        flag_ = flag;
        child_ = ::fork();
        if (child_ == 0) {
            ::setenv("HOWDAH_TEST_PAUSE", (point + ":" + flag.native()).c_str(), 1);
            int code = 0;
            try {
                work(place.open());
            } catch (const base::Failure& failure) {
                code = static_cast<int>(failure.kind());
            }
            ::_exit(code);
        }
        while (!fs::exists(flag)) std::this_thread::yield();
    }
    ~Suspended() {
        if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
    }
    /// Goes on to its end; the kind of its failure, 0 when it had none.
    int wake_up() {
        fs::remove(flag_);
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    fs::path flag_;
    pid_t child_ = -1;
};

class LostLeaseTest : public testing::Test {
protected:
    LostLeaseTest() { write_segment(repository, 1); }

    /// Another host takes the lease over, as it may once the holder did not renew in time, works, and lets go.
    void taken_over(const std::string& prefix, const std::function<void()>& work = {}) {
        Chain chain(repository, Kind::lease, prefix);
        LeaseBody body{.held = true, .token = "00", .holder = {}};
        body.holder = {"other-host", "x/y/1", "postgres", "another run", 1, 1, repository.store().now()};
        ASSERT_TRUE(chain.append(chain.newest(), encode_lease(body)));
        if (work) work();
        body.held = false;
        ASSERT_TRUE(chain.append(chain.newest(), encode_lease(body)));
        write_ledger(repository);
    }
    void expire(const std::string& id) {
        Event event;
        event.type = "expire";
        event.backup_id = id;
        append_event(repository, place.area(), event);
    }
    std::set<std::string> objects() {
        std::set<std::string> names;
        repository.store().list("cluster/", [&](const storage::Listed& listed) {
            if (listed.name.find("/lease/") == listed.name.npos) names.insert(listed.name);
        });
        return names;
    }

    Place place{true};
    Repository repository = place.open();
    const std::string lease = place.area().lease_prefix();
    static constexpr int kLocked = static_cast<int>(FailureKind::locked);
};

TEST_F(LostLeaseTest, ABackupSuspendedBeforeItPublishesCommitsNoRoot) {
    Suspended run(place, "repository.before_root", [](const Repository& its) { write_backup(its, "a", {{"x", "1"}}, {1u << 20}); });
    taken_over(lease);
    EXPECT_EQ(run.wake_up(), kLocked);
    EXPECT_TRUE(list_backups(repository, "", true).empty());
}

TEST_F(LostLeaseTest, ABackupSuspendedWhileItPublishesExpires) {
    Suspended run(place, "repository.root_confirmed", [](const Repository& its) { write_backup(its, "a", {{"x", "1"}}, {1u << 20}); });
    taken_over(lease);
    EXPECT_EQ(run.wake_up(), kLocked);
    EXPECT_TRUE(list_backups(repository).empty());
    write_backup(repository, "b", {{"x", "2"}}, {1u << 20});
    EXPECT_GT(collect_garbage(repository, {.grace = std::chrono::seconds(0)}, {}).deleted, 0u);
    base::Progress progress("verifying", {}, false);
    for (const Damage& damage : verify_objects(repository, {}, 1, progress, {})) ADD_FAILURE() << damage.object << ": " << damage.what;
}

TEST_F(LostLeaseTest, ACollectorSuspendedBeforeItRemovesLeavesEverything) {
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    expire("a");
    Suspended run(place, "repository.gc_listed",
                  [](const Repository& its) { collect_garbage(its, {.grace = std::chrono::seconds(0)}, {}); });
    taken_over(kRepositoryLease);
    const auto before = objects();
    EXPECT_EQ(run.wake_up(), kLocked);
    EXPECT_EQ(objects(), before);
}

TEST_F(LostLeaseTest, ACollectorSuspendedBeforeItsListHidesNothingOfItsSuccessors) {
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    Suspended run(place, "repository.gc_confirmed", [this](const Repository& its) {
        expire("a");
        collect_garbage(its, {.grace = std::chrono::hours(1)}, {});
    });
    const std::vector<Doomed> successors{{"cluster/main/1/tree/ab/" + std::string(32, 'a'), repository.store().now()}};
    taken_over(kRepositoryLease, [&] {
        Chain(repository, Kind::doomed, kDoomedPrefix).append_anywhere([&](const std::optional<Link>&) {
            return encode_doomed(successors);
        });
    });
    EXPECT_EQ(run.wake_up(), kLocked);
    EXPECT_EQ(read_doomed(repository), std::vector<std::string>{successors[0].name});
}

}  // namespace
}  // namespace howdah::repository::test
