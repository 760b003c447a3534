#include <libpq-fe.h>
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "client/session.hpp"
#include "client/wait.hpp"
#include "scenario/client/ground.hpp"

// How a session waits for its answer.
namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

class Wait : public ClientTest {
protected:
    Session session() const {
        Handle handle(PQconnectdb(server_.conninfo().c_str()));
        EXPECT_EQ(PQstatus(handle.get()), CONNECTION_OK) << PQerrorMessage(handle.get());
        PQsetnonblocking(handle.get(), 1);
        PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
        return Session(std::move(handle));
    }
};

/// 0 for the calling thread.
void keep_on_one_processor(pid_t process, int policy) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    static_cast<void>(::sched_setaffinity(process, sizeof one, &one));
    const sched_param nothing{};
    static_cast<void>(::sched_setscheduler(process, policy, &nothing));
}

TEST_F(Wait, ALongAnswerThatIsHereWholeIsReadWhole) {
    Client client = open(1);
    static const Statement kMany{"SELECT g FROM generate_series(1, $1::int) g"};
    ASSERT_TRUE(client.execute(kMany, 1));
    const auto backend = static_cast<pid_t>(std::stol(shown(client.execute("SELECT pg_backend_pid()"))));
    keep_on_one_processor(backend, SCHED_OTHER);
    Duration longest{};
    // On the server's own processor and never before it, the caller finds all of the answer when it wakes up.
    std::thread([&] {
        keep_on_one_processor(0, SCHED_BATCH);
        for (int time = 0; time < 40 && longest < 2s; ++time) {
            const Stopwatch watch;
            const auto rows = client.execute({.deadline = in(4s)}, kMany, 1000 + 250 * time);
            longest = std::max(longest, watch.taken());
            ASSERT_TRUE(rows) << rows.error().message();
            EXPECT_EQ(rows->size(), static_cast<std::size_t>(1000 + 250 * time));
        }
    }).join();
    EXPECT_LT(longest, 2s);
}

TEST_F(Wait, AnEndThatCameWithAnAnswerIsNotWaitedFor) {
    Session session = this->session();
    Waiter waiter{{}};
    const Step ask{Step::Kind::text, Step::Part::body, "SELECT 1", nullptr, {}};
    const int socket = PQsocket(session.native_handle());
    const auto seen = [&](short events) {
        pollfd watched{socket, events, 0};
        return ::poll(&watched, 1, 0) > 0 && (watched.revents & events) != 0;
    };
    ASSERT_TRUE(session.start({&ask, 1}));
    ASSERT_TRUE(eventually([&] { return seen(POLLIN); }));
    admin_.ask("SELECT pg_terminate_backend(" + std::to_string(session.identity().pid) + ")");
    ASSERT_TRUE(eventually([&] { return seen(POLLRDHUP); }));
    ASSERT_EQ(drive(session, waiter, in(5s), std::chrono::steady_clock::now()), Wake::ready);
    ASSERT_TRUE(session.take());
    const Stopwatch watch;
    if (session.start({&ask, 1})) {
        EXPECT_EQ(drive(session, waiter, in(5s), std::chrono::steady_clock::now()), Wake::ready);
        EXPECT_FALSE(session.take());
    }
    EXPECT_LT(watch.taken(), 2s);
}

TEST_F(Wait, ABrokenLinkIsToldInTheSameWordsByEveryWay) {
    std::array<std::string, 2> words;
    for (std::size_t way = 0; way < words.size(); ++way) {
        Session session = this->session();
        Waiter waiter{{}};
        const Step prepare{Step::Kind::prepare, Step::Part::before, "SELECT pg_sleep(20)", "long", {}};
        const Step ask{Step::Kind::prepared, Step::Part::body, nullptr, "long", {}};
        ASSERT_TRUE(session.start({&prepare, 1}));
        ASSERT_EQ(drive(session, waiter, in(5s), std::chrono::steady_clock::now()), Wake::ready);
        ASSERT_TRUE(session.take());
        std::thread cuts([&, pid = std::to_string(session.identity().pid), end = session.watch_end()] {
            EXPECT_TRUE(eventually(
                [&] { return admin_.number("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = " + pid) == 1; }));
            LinkEnd(end).cut();
        });
        const Moment now = std::chrono::steady_clock::now();
        if (way == 0) {
            EXPECT_FALSE(session.answer_at_once("long", {}, in(5s), now));
        } else {
            EXPECT_TRUE(session.start({&ask, 1}));
        }
        EXPECT_EQ(drive(session, waiter, in(5s), now), Wake::ready);
        cuts.join();
        const auto reply = session.take();
        ASSERT_FALSE(reply);
        words[way] = reply.error().message();
    }
    EXPECT_EQ(words[0], words[1]);
}

}  // namespace
}  // namespace howdah::tests
