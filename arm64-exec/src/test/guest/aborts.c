// External aborts, of addresses where nothing is, and SErrors, which the machine raises when a call asks for one.
#include "guest.h"

#define GB 0x40000000UL
#define NOWHERE (4 * GB)
/* Views of NOWHERE: normal memory, device memory, normal memory of EL0. */
#define NORMAL_VIEW (4 * GB)
#define DEVICE_VIEW (5 * GB)
#define USER_VIEW (7 * GB)
/* What tables that are nowhere translate. */
#define WALK_2 (6 * GB)
#define WALK_3 (8 * GB)
#define WALK_1 0xFFFFFF8000000000UL

#define SCTLR 0x30d00980UL
#define RAISE_SERROR 0x53455252UL
#define PSTATE_A 0x100UL

static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));

static void enable(void)
{
    const u64 normal = 1UL << 10 | 3UL << 8 | 1UL << 2 | 1;
    const u64 device = 1UL << 10 | 1;
    level1[0] = device;
    level1[1] = GB | normal;
    level1[4] = NOWHERE | normal;
    level1[5] = NOWHERE | device;
    level1[6] = NOWHERE | 3;
    level1[7] = NOWHERE | normal | 1UL << 6;
    level1[8] = (u64)level2 | 3;
    level2[0] = NOWHERE | 3;
    /* the RAM once more, for EL0 */
    level1[9] = GB | normal | 1UL << 6 | 1UL << 7;
    WRITE("mair_el1", 0xff00);
    WRITE("tcr_el1", 25UL | 25UL << 16 | 2UL << 30 | 0x35003500UL | 1UL << 32);
    WRITE("ttbr0_el1", level1);
    WRITE("ttbr1_el1", NOWHERE);
    asm volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
    WRITE("sctlr_el1", SCTLR | 1);
}

/* Says class, status and address. A hypervisor that injects an abort gives no more (level of the walk, direction). */
static void aborted(const char *what, u64 before)
{
    u64 status = trap.esr & 0x3f;
    say("%s: ", what);
    if (trap.count == before) {
        say("ok\n");
        return;
    }
    if (status == 0x10 || (status >= 0x14 && status <= 0x17)) {
        say("external, ");
    } else {
        say("status %x, ", status);
    }
    say("class %x vector %x far %x", trap.esr >> 26, trap.vector * 0x80, trap.far);
    say(trap.count == before + 1 ? "\n" : ", %d of them\n", trap.count - before);
}

#define ACCESS(what, at, ...) do { \
        u64 before_ = trap.count; \
        register u64 x0 asm("x0") = (at); \
        asm volatile(".arch armv8.3-a\n\t" __VA_ARGS__ : "+r"(x0) :: "memory", "cc", "x1", "x2", "x3", "x4", "x5", "x30"); \
        aborted(what, before_); \
    } while (0)

static void accesses(const char *what, u64 at)
{
    say("%s\n", what);
    ACCESS("ldrb", at + 1, "ldrb w2, [x0]");
    ACCESS("ldr", at + 8, "ldr x2, [x0]");
    ACCESS("ldr with write-back", at + 8, "ldr x2, [x0], #8");
    ACCESS("ldp", at + 16, "ldp x2, x3, [x0]");
    ACCESS("strb", at + 3, "strb w2, [x0]");
    ACCESS("str", at + 8, "str x2, [x0]");
    ACCESS("stp", at + 16, "stp x2, x3, [x0]");
    ACCESS("ldxr", at, "ldxr x2, [x0]");
    ACCESS("ldar", at, "ldar x2, [x0]");
    ACCESS("stlr", at, "stlr x2, [x0]");
    ACCESS("ldadd", at + 8, "ldadd x2, x3, [x0]");
    ACCESS("casal", at + 8, "casal x2, x3, [x0]");
    ACCESS("ldr q", at + 32, "ldr q2, [x0]");
    ACCESS("str q", at + 32, "str q2, [x0]");
    ACCESS("ld1", at + 64, "ld1 {v2.16b}, [x0]");
    ACCESS("casp", at + 16, "casp x2, x3, x4, x5, [x0]");
    ACCESS("dc zva", at + 64, "dc zva, x0");
    ACCESS("at s1e1r", at, "at s1e1r, x0\n\tisb");
    ACCESS("at s1e0w", at, "at s1e0w, x0\n\tisb");
    ACCESS("prfm", at, "prfm pldl1keep, [x0]");
    ACCESS("blr", at, "blr x0");
}

static void external_aborts(void)
{
    accesses("MMU off", NOWHERE);
    enable();
    accesses("normal memory", NORMAL_VIEW);
    ACCESS("ldtrb", USER_VIEW, "ldtrb w2, [x0]");
    ACCESS("sttrb", USER_VIEW, "sttrb w2, [x0]");
    say("device memory\n");
    ACCESS("ldrb", DEVICE_VIEW, "ldrb w2, [x0]");
    ACCESS("str", DEVICE_VIEW, "str x2, [x0]");
    accesses("table of level 2", WALK_2);
    accesses("table of level 3", WALK_3);
    accesses("table of level 1", WALK_1);
    say("EL0\n");
    static const u64 places[] = {USER_VIEW, WALK_2, WALK_3, WALK_1};
    u64 code = (u64)stub + 8 * GB;
    for (unsigned k = 0; k < sizeof places / sizeof *places; k++) {
        u64 before = trap.count;
        at_el0(code + 16, places[k] + 5, 0, 0x3c0);
        aborted("ldrb", before);
        before = trap.count;
        at_el0(code + 24, places[k] + 6, 1, 0x3c0);
        aborted("strb", before);
        before = trap.count;
        at_el0(places[k], 0, 0, 0x3c0);
        aborted("fetch", before);
    }
    told_all();
}

static void raise_serror(u64 iss)
{
    register u64 x0 asm("x0") = RAISE_SERROR;
    register u64 x1 asm("x1") = iss;
    asm volatile("hvc #0" : "+r"(x0), "+r"(x1) :: "memory", "x2", "x3");
}

static void status(const char *what)
{
    asm volatile("isb" ::: "memory");
    say("%s: isr %x ", what, READ("isr_el1"));
    outcome("");
}

static void serrors(void)
{
    status("nothing");
    raise_serror(0x12);
    status("masked");
    asm volatile("wfi" ::: "memory");
    status("after wfi");
    asm volatile("msr daifclr, #3" ::: "memory");
    status("IRQ and FIQ unmasked");
    asm volatile("msr daifset, #3\n\tmsr daifclr, #4" ::: "memory");
    status("unmasked");
    raise_serror(0x1FFFFFF);
    status("raised while unmasked");
    asm volatile("msr daifset, #4" ::: "memory");
    raise_serror(1);
    raise_serror(0x1000002);
    WRITE("daif", 0x2c0);
    status("the later of two, by msr daif");
    WRITE("daif", 0x3c0);
    raise_serror(0);
    asm volatile("adr x0, 1f\n\tmsr elr_el1, x0\n\tmsr spsr_el1, %0\n\teret\n1:"
                 :: "r"(0x3c5UL & ~PSTATE_A) : "x0", "memory", "cc");
    status("by eret");
    WRITE("daif", 0x3c0);
    raise_serror(5);
    asm volatile("msr spsel, #0\n\tmov x0, sp\n\tadr x1, stub\n\tmov sp, x1\n\tmsr daifclr, #4\n\tisb\n\t"
                 "mov sp, x0\n\tmsr spsel, #1" ::: "x0", "x1", "memory");
    status("on SP_EL0");
    WRITE("daif", 0x3c0);
    raise_serror(6);
    at_el0((u64)stub + 8 + 8 * GB, 0, 0, 0x3c0);
    status("at EL0, masked");
    at_el0((u64)stub + 8 + 8 * GB, 0, 0, 0x3c0 & ~PSTATE_A);
    status("at EL0, unmasked");
    say("returns to %d\n", trap.elr - ((u64)stub + 8 * GB));
}

void run(void)
{
    WRITE("sctlr_el1", SCTLR);
    say("aborts\n");
    external_aborts();
    serrors();
    say("end\n");
}
