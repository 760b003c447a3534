#include <sqlite3.h>

#include <cstdarg>

#include "loading/library.hpp"

namespace {
constexpr const char* kLibrary = "libsqlite3.so.0";
constexpr const char* kPackage = "libsqlite3-0";
}  // namespace

FORWARD_3(sqlite3_bind_int64)
FORWARD_6(sqlite3_bind_text64)
FORWARD_3(sqlite3_busy_handler)
FORWARD_1(sqlite3_close)
FORWARD_2(sqlite3_column_blob)
FORWARD_2(sqlite3_column_bytes)
FORWARD_2(sqlite3_column_int64)
FORWARD_2(sqlite3_column_type)
FORWARD_1(sqlite3_db_handle)
FORWARD_1(sqlite3_errmsg)
FORWARD_1(sqlite3_errstr)
FORWARD_5(sqlite3_exec)
FORWARD_1(sqlite3_finalize)
FORWARD_1(sqlite3_get_autocommit)
FORWARD_4(sqlite3_open_v2)
FORWARD_5(sqlite3_prepare_v2)
FORWARD_1(sqlite3_step)

/// Its parameters depend on `option`: of those that the program sets, an int and a pointer to one.
extern "C" int sqlite3_db_config(sqlite3* database, int option, ...) {
    static auto* const function =
        reinterpret_cast<decltype(&sqlite3_db_config)>(::howdah::loading::find_function(kLibrary, kPackage, "sqlite3_db_config"));
    va_list parameters;
    va_start(parameters, option);
    const int value = va_arg(parameters, int);
    int* const now = va_arg(parameters, int*);
    va_end(parameters);
    return function(database, option, value, now);
}
