#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace howdah::tests {

/// How a piece of work was done.
enum class Kind : std::uint8_t {
    keyed,  ///< run() with a key, asked for again until it is done.
    noted,  ///< run() without a key, with lost commits looked up.
    plain,  ///< run() without either.
    alone,  ///< execute(): one statement in a transaction of its own.
};
inline constexpr std::array<const char*, 4> kKinds{"keyed", "noted", "plain", "alone"};

/// What the library said of it in the end.
enum class Word : std::uint8_t { succeeded, failed, not_sent, unknown };
inline constexpr std::array<const char*, 4> kWords{"succeeded", "failed", "not_sent", "unknown"};

/// What a caller noted down beside the library and the server.
struct Note {
    std::int64_t caller = 0;
    std::int64_t number = 0;
    Kind kind = Kind::keyed;
    Word word = Word::unknown;
    std::string said;  ///< The error, for messages.
};

/// Notes against the rows that are there.
struct Judgement {
    std::array<std::array<std::uint64_t, 4>, 4> words{};  ///< By kind and word.
    std::uint64_t lost = 0;                               ///< Said to have succeeded, and no row.
    std::uint64_t doubled = 0;                            ///< More than one row.
    std::uint64_t invented = 0;                           ///< Said not to have happened, and a row.
    std::uint64_t unknown_with_row = 0;
    std::uint64_t unfinished_keys = 0;  ///< Keys whose work was never said to have succeeded.
    std::uint64_t strangers = 0;        ///< Rows nobody noted.
    std::vector<std::string> examples;  ///< Of the first few that are wrong.

    bool right() const { return lost + doubled + invented + unfinished_keys + strangers == 0; }
    std::string text() const;
};

/// Makes the role `app`, its tables `ledger` and `alone` (no unique index: what is done twice must show) and the table of keys.
void make_ledger(const std::string& superuser_conninfo);
Judgement judge(const std::string& superuser_conninfo, const std::vector<Note>& notes);

}  // namespace howdah::tests
