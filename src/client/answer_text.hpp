#pragma once

#include <string>

#include "howdah/error.hpp"

struct pg_conn;
struct pg_result;

namespace howdah::inline v0 {

/// Empty for null.
std::string text_of(const char* text);
/// The server's error message as a value: phase receive; cause refused, or broken when it has no SQLSTATE.
Error refusal(const pg_result* result, const std::string& endpoint);
/// "host db (10.0.0.7), port 5432".
std::string describe(const pg_conn* handle);

}  // namespace howdah::inline v0
