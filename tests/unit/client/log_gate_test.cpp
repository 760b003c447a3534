#include "client/policy/log_gate.hpp"

#include <gtest/gtest.h>

namespace howdah::tests {
namespace {

using namespace std::chrono_literals;

const Moment kBegin = Moment() + 1h;

TEST(LogGate, OneLineOfAKindInASecond) {
    LogGate gate;
    const auto first = gate.offer(kBegin, LogKind::dial, Severity::warning, "one");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->what, "one");
    EXPECT_EQ(first->left_out, 0U);
    EXPECT_FALSE(gate.offer(kBegin + 300ms, LogKind::dial, Severity::warning, "two"));
    EXPECT_FALSE(gate.offer(kBegin + 600ms, LogKind::dial, Severity::warning, "three"));
    EXPECT_TRUE(gate.offer(kBegin + 600ms, LogKind::session, Severity::info, "other"));
    const auto next = gate.offer(kBegin + 1s, LogKind::dial, Severity::info, "four");
    ASSERT_TRUE(next);
    EXPECT_EQ(next->left_out, 2U);
    EXPECT_FALSE(gate.due(kBegin + 5s));
}

TEST(LogGate, TheLastOfThoseHeldBackIsToldInTheEnd) {
    LogGate gate;
    ASSERT_TRUE(gate.offer(kBegin, LogKind::dial, Severity::warning, "fails"));
    EXPECT_FALSE(gate.offer(kBegin + 1ms, LogKind::dial, Severity::warning, "fails"));
    EXPECT_FALSE(gate.offer(kBegin + 2ms, LogKind::dial, Severity::info, "works"));
    EXPECT_FALSE(gate.due(kBegin + 999ms));
    const auto last = gate.due(kBegin + 1s);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->what, "works");
    EXPECT_EQ(last->severity, Severity::info);
    EXPECT_EQ(last->left_out, 1U);
    EXPECT_FALSE(gate.due(kBegin + 1s));
    // The second runs anew from the line told last.
    EXPECT_FALSE(gate.offer(kBegin + 1500ms, LogKind::dial, Severity::warning, "fails"));
    EXPECT_TRUE(gate.due(kBegin + 2s));
}

}  // namespace
}  // namespace howdah::tests
