#include <gtest/gtest.h>

#include "repository/gc.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

/// gc deletes what it listed once the grace is over, however new a reference to it: a listed object is written again under another name.
TEST(Trap, repository_doomed) {
    const Place place(true);
    const Repository repository = place.open();
    FileEntry entry;
    entry.path = "PG_VERSION";
    const Tree tree{{entry}};
    std::string abandoned;
    {
        TreeWriter writer(repository, place.area());
        abandoned = writer.write(tree);
    }
    EXPECT_EQ(collect_garbage(repository, {.grace = std::chrono::hours(1)}, {}).doomed, 1u);
    TreeWriter writer(repository, place.area());
    EXPECT_NE(writer.write(tree), abandoned);
}

}  // namespace
}  // namespace howdah::repository::test
