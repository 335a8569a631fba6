// The table of environment variables: what each means, in which unit, and how it lands in the Config. config.cpp walks
// it.
#pragma once

#include "shim/config.hpp"

#include <span>

namespace relygate::shim {

struct Variable {
    enum class Use {
        used,
        database, // read together by config.cpp: a URL and single values must agree
        secret,   // NAME_FILE is taken too, and an empty value is a mistake, not an absence
        unused,   // the guide names it; this version does nothing with it and says so
    };
    const char *name;
    Use use;
    const char *help;
    // What is wrong with the value, or an empty text. Null for `database` and `unused`.
    std::string (*apply)(Config &config, std::string_view value);
};

std::span<const Variable> variables();

// Prefixes of what other programs of the product read (SMS_, BACKUP_ ...).
bool belongs_to_another_program(std::string_view name);

} // namespace relygate::shim
