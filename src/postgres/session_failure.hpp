#pragma once

#include <string>
#include <string_view>

#include "howdah/error.hpp"
#include "postgres/session.hpp"

namespace howdah::postgres {

/// Throws what a failed dial means to the program: ServerFailure of kind server, or Cancelled. Configuration where the connection
/// string itself is wrong.
[[noreturn]] void throw_dial_failure(const Error& error);

/// Throws what a failed statement means: ServerFailure with the server's message, DETAIL and the shortened statement in its text, or
/// Cancelled. Kind server where the connection is the matter.
[[noreturn]] void throw_statement_failure(const Error& error, std::string_view sql);

/// The statement in one line of at most 120 characters, a literal after the word PASSWORD masked.
std::string shortened_statement(std::string_view sql);

}  // namespace howdah::postgres
