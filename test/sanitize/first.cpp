// Loaded before a server that was built without AddressSanitizer, to start it before any other library's constructor
// runs. Otherwise it starts at the first malloc, which is libgpg-error's in bindtextdomain(), and asks dlerror() for a
// translated message while that lock is held: the server would wait for itself for ever (llvm/llvm-project#49223).
extern "C" void __asan_init(); // NOLINT(bugprone-reserved-identifier): its own name

namespace {
[[gnu::constructor]] void start() {
    __asan_init();
}
} // namespace
