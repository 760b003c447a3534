#include "repository/lease.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.hpp"
#include "base/process.hpp"
#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/gc.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

using base::Failure;
using base::FailureKind;

class LeaseTest : public testing::Test {
protected:
    /// Appends a link that says another host holds the lease, last renewed `age` ago.
    void hold_elsewhere(std::chrono::seconds age) {
        Chain chain(repository, Kind::lease, prefix);
        LeaseBody body{.held = true, .token = "00", .holder = {}};
        body.holder = {"other-host", "x/y/1", "postgres", "backup run", 1, 1, repository.store().now()};
        const auto link = chain.append(chain.newest(), encode_lease(body));
        ASSERT_TRUE(link);
        const auto then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - age);
        const timespec times[2] = {{then, 0}, {then, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (place.root() / chain.link_name(link->number)).c_str(), times, 0), 0);
    }

    Place place{true};
    Repository repository = place.open();
    std::string prefix = place.area().lease_prefix();
};

TEST_F(LeaseTest, OneHolderAtATime) {
    Lease first(repository, prefix, "backup run", {});
    first.confirm();
    try {
        Lease second(repository, prefix, "backup run", {});
        ADD_FAILURE() << "two runs hold one lease";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), FailureKind::locked);
        EXPECT_NE(failure.text().find("backup run"), std::string::npos);
        EXPECT_NE(failure.text().find(std::to_string(::getpid())), std::string::npos);
    }
    first.confirm();
    first.release();
    EXPECT_FALSE(look_at_lease(repository, prefix));
    Lease third(repository, prefix, "backup run", {});
    EXPECT_TRUE(look_at_lease(repository, prefix)->live);
}

TEST_F(LeaseTest, AKilledHolderIsReplacedAtOnce) {
    const pid_t child = ::fork();
    if (child == 0) {
        Lease lease(repository, prefix, "backup run", {});
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto state = look_at_lease(repository, prefix);
    ASSERT_TRUE(state);
    EXPECT_FALSE(state->live);
    EXPECT_EQ(state->holder.pid, child);
    EXPECT_EQ(check_repository(repository, {}).leftovers.size(), 1u);
    base::Progress progress("verifying", {}, false);
    EXPECT_EQ(verify_objects(repository, {}, 1, progress, {}).size(), 1u);

    Lease lease(repository, prefix, "backup run", {});
    lease.confirm();
    lease.release();
    EXPECT_TRUE(check_repository(repository, {}).leftovers.empty());
}

/// The first process of a container need not reap: a killed run stays in the table of processes for good.
TEST_F(LeaseTest, AHolderThatNobodyReapsIsReplacedAtOnce) {
    const pid_t child = ::fork();
    if (child == 0) {
        Lease lease(repository, prefix, "backup run", {});
        ::kill(::getpid(), SIGKILL);
    }
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(::kill(child, 0), 0);
    EXPECT_FALSE(look_at_lease(repository, prefix)->live);
    Lease lease(repository, prefix, "backup run", {});
    lease.confirm();
    lease.release();
    ::waitpid(child, nullptr, 0);
}

TEST_F(LeaseTest, AnotherHostHoldsItWhileItRenews) {
    hold_elsewhere(std::chrono::seconds(600));
    EXPECT_THROW(Lease(repository, prefix, "backup run", {}), Failure);
    hold_elsewhere(std::chrono::seconds(1000));
    Lease lease(repository, prefix, "backup run", {});
    lease.confirm();
}

/// A copied machine has this one's name and id, and another boot; but it renews, and this one has run for longer.
TEST_F(LeaseTest, ACloneOfThisMachineIsNotTakenForItsLastBoot) {
    Chain chain(repository, Kind::lease, prefix);
    const std::string machine = base::read_file_if_exists("/etc/machine-id", {4096}).value_or("");
    LeaseBody body{.held = true, .token = "00", .holder = {}};
    body.holder = {base::host_name(),
                   repository.key().content_name("machine", base::as_bytes(machine)) + "/another-boot/1",
                   "postgres",
                   "backup run",
                   1,
                   1,
                   repository.store().now()};
    ASSERT_TRUE(chain.append(chain.newest(), encode_lease(body)));
    EXPECT_TRUE(look_at_lease(repository, prefix)->live);
    EXPECT_THROW(Lease(repository, prefix, "backup run", {}), Failure);
}

TEST_F(LeaseTest, ALostLeaseIsNoticedBeforePublishing) {
    Lease lease(repository, prefix, "backup run", {});
    hold_elsewhere(std::chrono::seconds(0));
    EXPECT_THROW(lease.confirm(), Failure);
    EXPECT_THROW(lease.release(), Failure);
}

TEST_F(LeaseTest, OfManyThreadsOneGetsIt) {
    std::atomic<int> held{0};
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<Lease>> leases(4);
    for (std::size_t i = 0; i < leases.size(); ++i)
        threads.emplace_back([&, i] {
            try {
                leases[i] = std::make_unique<Lease>(repository, prefix, "backup run", base::Cancellation());
                ++held;
            } catch (const Failure& failure) {
                EXPECT_EQ(failure.kind(), FailureKind::locked) << failure.text();
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(held, 1);
}

TEST(ChainTest, ManyWritersMakeOneRow) {
    const Place place(false);
    const Repository repository = place.open();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            Chain chain(repository, Kind::event, place.area().event_prefix());
            for (int k = 0; k < 5; ++k)
                chain.append_anywhere([&](const std::optional<Link>&) { return "{\"writer\":" + std::to_string(i) + "}"; });
        });
    for (auto& thread : threads) thread.join();
    Chain chain(repository, Kind::event, place.area().event_prefix());
    const auto links = chain.read();
    ASSERT_EQ(links.size(), 20u);
    EXPECT_EQ(links.back().number, 20u);
    EXPECT_FALSE(chain.append(links[18], "{}"));

    EXPECT_EQ(chain.prune(links.back(), 5, "{}"), 16u);
    const auto kept = chain.read();
    ASSERT_EQ(kept.size(), 5u);
    EXPECT_EQ(kept.front().number, 17u);
    EXPECT_EQ(kept.back().oldest, 17u);
    EXPECT_EQ(chain.prune(links.back(), 1, "{}"), 0u) << "another writer was last";
}

}  // namespace
}  // namespace howdah::repository::test
