#pragma once

#include <string>
#include <string_view>

#include "howdah/error.hpp"

namespace howdah::inline v0 {

/// The text without line ends at its end, inner ones as spaces.
std::string one_line(std::string_view text);

/// A message of libpq about a connection string with what it quotes masked when the string may hold a password: libpq quotes the word
/// it stumbled over, and that may be a piece of the password.
std::string mask_quoted(std::string message, std::string_view conninfo);

/// A message of libpq about a failed dial, taken at verbosity "verbose", as parts. That text is the only place where libpq tells the
/// server's SQLSTATE then; without one the failure is libpq's own.
struct DialMessage {
    SqlState sqlstate;
    ErrorText text;
};
DialMessage read_dial_message(std::string_view message);

}  // namespace howdah::inline v0
