// Nothing is damage that a live backup, push or gc has half done.
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

TEST(VerifyBesideLiveRuns, FindsNothing) {
    ProtectedServer protectee;
    protectee.howdah_ok({"backup", "run", "--type", "full"});
    std::atomic<bool> backed_up{false};
    std::atomic<unsigned> collected{0};
    std::thread backups([&] {
        for (int i = 0; i < 2; ++i) EXPECT_EQ(protectee.howdah({"backup", "run", "--type", "full"}).exit_code, 0);
        backed_up = true;
    });
    std::thread collector([&] {
        for (; !backed_up; ++collected) {
            const auto result = protectee.howdah({"repo", "gc", "--grace", "0"});
            EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
        }
    });
    std::thread writer([&] {
        auto session = protectee.session();
        while (!backed_up) session.query("SELECT pg_logical_emit_message(false, 'howdah', repeat('x', 100000)), pg_switch_wal()");
    });
    unsigned looks = 0;
    for (; !backed_up; ++looks) {
        const auto verified = protectee.howdah({"--output", "json", "backup", "verify"});
        EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
        const auto checked = protectee.howdah({"--output", "json", "repo", "check"});
        EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
    }
    backups.join();
    collector.join();
    writer.join();
    EXPECT_GT(looks, 1u);
    std::fprintf(stderr, "%u looks beside 2 backups and %u collections\n", looks, collected.load());
}

}  // namespace
}  // namespace howdah::tests
