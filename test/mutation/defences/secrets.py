"""Keys and secrets at rest."""
from mutation.defence import Defence, Function, Source, Sql

KEY_FILE = "extension/pg/identity/key_file.cpp"

DEFENCES = [
    Defence("keys-sealed", "dump", "plain keys are sealed",
            Function("relygate.seal_keys()", "num_nonnulls(k.private_jwk, k.secret) > 0 OR ", "")),
    Defence("new-keys-sealed", "dump", "new keys are sealed where there is a key file",
            Function("relygate.rotate_signing_key(text, boolean)", "seals CONSTANT boolean := relygate.has_key_file();", "seals CONSTANT boolean := false;")),
    Defence("keys-bound-to-row", "dump", "a sealed key is bound to its id and purpose",
            Source(KEY_FILE, "appendBinaryStringInfo(&label, purpose.data(), static_cast<int>(purpose.size()));", ""),
            Source(KEY_FILE, "appendBinaryStringInfo(&label, kid.data(), static_cast<int>(kid.size()));", "(void)kid, (void)purpose;")),
    Defence("key-file-read-anew", "dump", "another file is noticed by open sessions",
            Source(KEY_FILE, "if (loaded.is_good && stat(path, &facts) == 0 && is_same_file(facts, loaded.facts))",
                   "(void)facts, (void)is_same_file; if (loaded.is_good)")),
    Defence("key-file-checked", "dump", "owner and mode of the key file are looked at",
            Source(KEY_FILE, "if (const char *problem = problem_of(loaded.facts))\n        return problem;", "(void)problem_of;")),
    Defence("key-file-setting", "dump", "only a superuser sets or sees where the key file is",
            Source(KEY_FILE, "PGC_SUSET,\n                               GUC_SUPERUSER_ONLY | GUC_NOT_IN_SAMPLE", "PGC_USERSET,\n                               GUC_NOT_IN_SAMPLE")),
    Defence("keys-for-platform", "dump", "keys are opened by relygate_platform's functions alone",
            Sql("GRANT EXECUTE ON FUNCTION relygate.open_secret(bytea, text, text) TO relygate_api, relygate_owner, relygate_reporting, relygate_audit")),
    Defence("idempotency-digest-keyed", "dump", "the digest of a repeated request is keyed",
            Source("extension/pg/api/idempotency.cpp", "return {key, user, keyed ? keyed : plain, plain};", "(void)keyed; return {key, user, plain, plain};")),
]
