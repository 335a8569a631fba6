// The key file that the setting relygate.key_file names: read by the backend, at the first use and again when the
// setting or the file has changed. Only a superuser may set it or see it; no error shows its path to anybody but the
// server's log.
#pragma once

#include "core/crypto/key_file.hpp"
#include "pg/postgres.hpp"

namespace relygate::pg {

void define_key_file();
[[nodiscard]] bool has_key_file(); // the setting names one, good or bad
// What is wrong with the file, a clause; null where it is good or none is named.
[[nodiscard]] const char *key_file_problem();
// Raises (F0000) where the file cannot be used. Never a reason to work without it: what is sealed stays closed.
const core::FileKeys &file_keys();
// Another number whenever the keys were read anew or forgotten.
[[nodiscard]] std::uint64_t key_file_generation();

// Opens what was sealed for a key of the installation, or raises. The result lives in the current memory context.
std::string_view open_secret(std::string_view sealed, std::string_view kid, std::string_view purpose);

} // namespace relygate::pg
