// Turns refusals, exceptions and failed allocations into PostgreSQL errors; see boundary.hpp.
#include "pg/boundary.hpp"

#include <memory>

namespace relygate::pg {

#ifdef __SANITIZE_ADDRESS__
namespace {

// The sanitizer sees no bounds inside the blocks that a context cuts up, so here each piece is malloc's own.
void *watched(MemoryContext context, std::size_t bytes, std::size_t alignment) {
    struct Piece {
        MemoryContextCallback end;
        void *memory;
    };
    auto *piece = static_cast<Piece *>(std::malloc(sizeof(Piece)));
    void *memory = nullptr;
    if (piece == nullptr || posix_memalign(&memory, std::max(alignment, sizeof(void *)), bytes) != 0) {
        std::free(piece);
        throw std::bad_alloc();
    }
    const auto release = [](void *ended) {
        std::free(static_cast<Piece *>(ended)->memory);
        std::free(ended);
    };
    *piece = {{.func = release, .arg = piece, .next = nullptr}, memory};
    MemoryContextRegisterResetCallback(context, &piece->end);
    return memory;
}

} // namespace
#endif

void *ContextMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
#ifdef __SANITIZE_ADDRESS__
    return watched(context_, bytes, alignment);
#endif
    // palloc aligns to MAXALIGN (8); what needs more than that pays for it here.
    const std::size_t slack = alignment > MAXIMUM_ALIGNOF ? alignment : 0;
    void *memory = MemoryContextAllocExtended(context_, bytes + slack, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
    if (memory == nullptr)
        throw std::bad_alloc();
    std::size_t room = bytes + slack;
    return std::align(alignment, bytes, memory, room);
}

void raise_out_of_memory() {
    ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
    pg_unreachable();
}

void raise_internal(const char *what) {
    ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("unexpected failure in a rule of relygate"),
            errdetail("%s", what));
    pg_unreachable();
}

void raise_refusal(const core::Refusal &refusal, const char *data_json) {
    const int hundreds = '0' + refusal.status / 100 % 10;
    const int tens = '0' + refusal.status / 10 % 10;
    const int ones = '0' + refusal.status % 10;
    ereport(ERROR, errcode(MAKE_SQLSTATE('R', 'G', hundreds, tens, ones)), errmsg("%s", refusal.message),
            refusal.detail[0] ? errdetail("%s", refusal.detail) : 0, refusal.hint ? errhint("%s", refusal.hint) : 0,
            refusal.code ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, refusal.code) : 0,
            refusal.field ? err_generic_string(PG_DIAG_COLUMN_NAME, refusal.field) : 0,
            data_json ? err_generic_string(PG_DIAG_DATATYPE_NAME, data_json) : 0);
    pg_unreachable();
}

} // namespace relygate::pg
