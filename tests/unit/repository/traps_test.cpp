#include <gtest/gtest.h>

#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
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

/// A writer that was suspended for long goes on where it was; the numbers after its link were others' and have been pruned since.
TEST(Trap, repository_pruned_number) {
    const Place place(true);
    const Repository repository = place.open();
    Chain chain(repository, Kind::doomed, kDoomedPrefix);
    std::vector<Link> links;
    for (int i = 0; i < 10; ++i) links.push_back(chain.append_anywhere([](const std::optional<Link>&) { return encode_doomed({}); }));
    ASSERT_GT(chain.prune(links.back(), 3, encode_doomed({})), 5u);
    EXPECT_FALSE(chain.append(links[4], encode_doomed({}))) << "number 6 was another's, and is free again";
    EXPECT_EQ(chain.newest()->number, 11u);
    EXPECT_EQ(chain.read().size(), 3u);
}

}  // namespace
}  // namespace howdah::repository::test
