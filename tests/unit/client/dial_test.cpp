#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "client/connection.hpp"

namespace howdah {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A listener on 127.0.0.1 that accepts and never speaks, or hangs up at once.
class MuteServer {
public:
    explicit MuteServer(bool hang_up) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(descriptor_, generic, size) != 0 || ::listen(descriptor_, 8) != 0 || ::getsockname(descriptor_, generic, &size) != 0)
            std::abort();
        port_ = ntohs(address.sin_port);
        // Without anybody calling accept the kernel still completes the handshake.
        if (hang_up) {
            thread_ = std::jthread([this](std::stop_token stop) {
                while (!stop.stop_requested()) {
                    if (ready_now(descriptor_, POLLIN)) ::close(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
                    std::this_thread::yield();
                }
            });
        }
    }
    ~MuteServer() {
        if (thread_.joinable()) {
            thread_.request_stop();
            thread_.join();
        }
        ::close(descriptor_);
    }
    std::string port() const { return std::to_string(port_); }

private:
    int descriptor_;
    int port_ = 0;
    std::jthread thread_;
};

/// A name server that does not answer until it is released.
struct SilentNames {
    std::mutex mutex;
    std::condition_variable changed;
    bool released = false;
    std::atomic<int> asked = 0;

    static Resolver resolver(const std::shared_ptr<SilentNames>& names) {
        return [names](const std::string&) {
            ++names->asked;
            std::unique_lock lock(names->mutex);
            names->changed.wait(lock, [&] { return names->released; });
            return Addresses{{"127.0.0.1"}, {}};
        };
    }
    void release() {
        const std::lock_guard lock(mutex);
        released = true;
        changed.notify_all();
    }
};

struct Dialled {
    std::optional<Error> error;
    steady_clock::duration took;
};

Dialled dial(DialOptions options, milliseconds time, std::stop_token stop = {}) {
    const auto start = steady_clock::now();
    auto connection = Connection::dial(std::move(options), start + time, std::move(stop));
    Dialled seen{std::nullopt, steady_clock::now() - start};
    if (!connection) seen.error = connection.error();
    return seen;
}

TEST(Dial, ASilentNameServerHoldsNobodyPastTheDeadline) {
    const auto names = std::make_shared<SilentNames>();
    const Dialled seen =
        dial({.conninfo = "host=db.example", .overrides = {}, .settings = {}, .resolver = SilentNames::resolver(names)}, milliseconds(200));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->phase(), Phase::resolve);
    EXPECT_EQ(seen.error->cause(), Cause::timed_out);
    EXPECT_NE(seen.error->endpoint().find("db.example"), std::string::npos);
    EXPECT_GE(seen.took, milliseconds(200));
    EXPECT_LT(seen.took, milliseconds(700));
    EXPECT_EQ(names->asked, 1);
    names->release();
}

TEST(Dial, ASilentNameTakesOnlyItsShare) {
    const auto names = std::make_shared<SilentNames>();
    const MuteServer refusing(true);
    const Dialled seen = dial({.conninfo = "host=db.example,127.0.0.1 port=" + refusing.port(),
                               .overrides = {},
                               .settings = {},
                               .resolver = SilentNames::resolver(names)},
                              milliseconds(600));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->cause(), Cause::broken);
    EXPECT_NE(seen.error->message().find("db.example"), std::string::npos) << seen.error->message();
    EXPECT_LT(seen.took, milliseconds(600));
    names->release();
}

TEST(Dial, AStopEndsALookUp) {
    const auto names = std::make_shared<SilentNames>();
    std::stop_source source;
    std::jthread stopper([&] {
        while (names->asked == 0) std::this_thread::yield();
        source.request_stop();
    });
    const Dialled seen = dial({.conninfo = "host=db.example", .overrides = {}, .settings = {}, .resolver = SilentNames::resolver(names)},
                              milliseconds(30000), source.get_token());
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->cause(), Cause::cancelled);
    EXPECT_LT(seen.took, milliseconds(5000));
    names->release();
}

TEST(Dial, AFailedLookUpTellsItsReason) {
    const Resolver failing = [](const std::string&) { return Addresses{{}, "no such name"}; };
    const Dialled seen =
        dial({.conninfo = "postgres://nowhere.example/db", .overrides = {}, .settings = {}, .resolver = failing}, milliseconds(5000));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->phase(), Phase::resolve);
    EXPECT_EQ(seen.error->cause(), Cause::refused);
    EXPECT_EQ(seen.error->message(), "no such name");
}

TEST(Dial, AListenerThatNeverSpeaksTimesOut) {
    const MuteServer mute(false);
    const Dialled seen = dial({.conninfo = "host=127.0.0.1 port=" + mute.port(), .overrides = {}, .settings = {}}, milliseconds(200));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->cause(), Cause::timed_out);
    EXPECT_LT(seen.took, milliseconds(700));
    // A user's connect_timeout is kept for each address.
    const Dialled sooner =
        dial({.conninfo = "host=127.0.0.1 connect_timeout=1 port=" + mute.port(), .overrides = {}, .settings = {}}, milliseconds(20000));
    ASSERT_TRUE(sooner.error);
    EXPECT_LT(sooner.took, milliseconds(5000));
}

TEST(Dial, TriesEveryAddressOfAName) {
    const MuteServer refusing(true);
    const Resolver two = [](const std::string&) { return Addresses{{"127.0.0.2", "127.0.0.1"}, {}}; };
    const Dialled seen = dial({.conninfo = "host=db.example port=" + refusing.port(), .overrides = {}, .settings = {}, .resolver = two},
                              milliseconds(10000));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->cause(), Cause::broken);
    EXPECT_NE(seen.error->message().find("127.0.0.2"), std::string::npos) << seen.error->message();
    EXPECT_NE(seen.error->endpoint().find("127.0.0.1"), std::string::npos) << seen.error->endpoint();
}

TEST(Dial, NumericHostsAndAddressesAskNoNameServer) {
    const Resolver never = [](const std::string& host) { return Addresses{{}, "asked for " + host}; };
    const MuteServer refusing(true);
    for (const std::string where : {"host=127.0.0.1", "hostaddr=127.0.0.1", "host=named.example hostaddr=127.0.0.1"}) {
        const Dialled seen =
            dial({.conninfo = where + " port=" + refusing.port(), .overrides = {}, .settings = {}, .resolver = never}, milliseconds(10000));
        ASSERT_TRUE(seen.error);
        EXPECT_NE(seen.error->phase(), Phase::resolve) << seen.error->message();
    }
}

TEST(Dial, AWrongStringIsTheCallersMistake) {
    const Dialled seen = dial({.conninfo = "host=a,b port=1,2,3", .overrides = {}, .settings = {}}, milliseconds(1000));
    ASSERT_TRUE(seen.error);
    EXPECT_EQ(seen.error->phase(), Phase::configure);
    EXPECT_EQ(seen.error->cause(), Cause::usage);
}

}  // namespace
}  // namespace howdah
