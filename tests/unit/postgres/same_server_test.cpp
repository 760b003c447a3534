#include "postgres/same_server.hpp"

#include <gtest/gtest.h>

namespace howdah::postgres {
namespace {

TEST(PostmasterFile, FirstAndThirdLineAreRead) {
    const auto file = parse_postmaster_file("4711\n/var/lib/postgresql/15/main\n1795400000\n5432\n/run/postgresql\nlocalhost\n");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->pid, 4711);
    EXPECT_EQ(file->started, 1795400000);
}

TEST(PostmasterFile, HalfWrittenIsNone) {
    for (const char* text : {"", "4711", "4711\n/data\n", "4711\n/data\n1795400000", "x\n/data\n1795400000\n", "4711\n/data\n17 95\n"})
        EXPECT_FALSE(parse_postmaster_file(text)) << text;
}

}  // namespace
}  // namespace howdah::postgres
