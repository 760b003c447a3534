#include "sample/steps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "base/failure.hpp"
#include "sample/scripts.hpp"

namespace howdah::sample {
namespace {

TEST(Steps, ReadsNeedsFromTheFirstLine) {
    EXPECT_EQ(needs_of("-- needs: a  b_2\nSELECT 1;"), (std::vector<std::string>{"a", "b_2"}));
    EXPECT_TRUE(needs_of("-- text\n-- needs: a\n").empty());
}

TEST(Steps, MostAwaitedComesFirst) {
    StepQueue queue(std::vector<Step>{{"lone", "", {}}, {"root", "", {}}, {"leaf", "", {"root"}}});
    EXPECT_EQ(queue.next()->name, "root");
    EXPECT_EQ(queue.next()->name, "lone");
}

TEST(Steps, RefusesUnknownNeedsAndCircles) {
    using Steps = std::vector<Step>;
    EXPECT_THROW(StepQueue(Steps{{"a", "", {"b"}}}), base::Failure);
    EXPECT_THROW(StepQueue(Steps{{"a", "", {"b"}}, {"b", "", {"a"}}}), base::Failure);
    EXPECT_THROW(StepQueue(Steps{{"a", "", {"a"}}}), base::Failure);
}

TEST(Steps, StopHandsOutNothingMore) {
    StepQueue queue(std::vector<Step>{{"a", "", {}}});
    queue.stop();
    EXPECT_EQ(queue.next(), nullptr);
}

TEST(Steps, SeveralWorkersRunEachStepOnceAndAfterItsNeeds) {
    std::vector<Step> steps;
    for (const auto& part : scripts("generate")) steps.push_back({part.name, "", needs_of(part.text)});
    const auto expected = steps.size();
    StepQueue queue(std::move(steps));
    std::mutex mutex;
    std::vector<std::string> finished;
    {
        std::vector<std::jthread> workers;
        for (int number = 0; number < 4; ++number) {
            workers.emplace_back([&] {
                while (const auto* step = queue.next()) {
                    {
                        const std::lock_guard lock(mutex);
                        for (const auto& need : step->needs) EXPECT_NE(std::ranges::find(finished, need), finished.end()) << step->name;
                        finished.push_back(step->name);
                    }
                    queue.done(*step);
                }
            });
        }
    }
    EXPECT_EQ(finished.size(), expected);
}

TEST(Scripts, AreEmbeddedWholeAndInOrder) {
    EXPECT_EQ(scripts("schema").size(), 11u);
    EXPECT_EQ(scripts("constraints").size(), 10u);
    EXPECT_TRUE(std::ranges::is_sorted(scripts("generate"), {}, &Script::name));
    EXPECT_TRUE(scripts("schema").front().text.ends_with(");\n"));
    EXPECT_NE(finish_script().find("REFRESH MATERIALIZED VIEW"), std::string_view::npos);
    EXPECT_THROW(scripts("nothing"), base::Failure);
}

}  // namespace
}  // namespace howdah::sample
