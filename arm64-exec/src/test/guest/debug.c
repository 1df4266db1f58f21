// Self-hosted debug: software step, breakpoints, watchpoints, at EL0 and EL1, and what masks them.
#include "guest.h"

#define MDSCR_SS 1UL
#define MDSCR_KDE (1UL << 13)
#define MDSCR_MDE (1UL << 15)
#define SPSR_SS (1UL << 21)
#define EL0 0x3c0UL
#define ENABLED 1UL
#define AT_EL1 (1UL << 1)
#define AT_EL0 (2UL << 1)
#define BAS(bits) ((u64)(bits) << 5)
#define LOADS (1UL << 3)
#define STORES (2UL << 3)
#define LEAVE 0xd4000fe1 /* svc #0x7f */

#define COUNT(array) (sizeof array / sizeof *array)

static u32 code[16] __attribute__((aligned(64)));
static u64 data[16] __attribute__((aligned(128)));

static void put(const u32 *words, unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        code[k] = words[k];
    }
    asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(code) : "memory");
}

static void print_steps(const char *what, u64 base)
{
    say("%s: %d steps\n", what, steps);
    for (unsigned k = 0; k < steps && k < COUNT(trail); k++) {
        say("  at %d esr %x spsr %x\n", trail[k].elr - base, trail[k].esr, trail[k].spsr & 0xF02003DF);
    }
    steps = 0;
    told_all();
}

static void steps_at_el0(u64 most, u64 spsr)
{
    static const u32 words[] = {
        0xd503201f, /* nop */
        0x91000400, /* add x0, x0, #1 */
        0x14000002, /* b over the udf */
        0x00000000,
        0xb4000041, /* cbz x1, over the udf */
        0x00000000,
        0xd503201f,
        0xd503305f, /* clrex */
        0xd40000a1, /* svc #5 */
        0xd503201f,
        0x00000000, /* udf */
        0xd503201f,
        LEAVE};
    put(words, COUNT(words));
    steps_left = most;
    WRITE("mdscr_el1", MDSCR_SS);
    at_el0((u64)code, 0, 0, spsr);
    WRITE("mdscr_el1", 0);
    print_steps("EL0", (u64)code);
}

static void steps_of_exclusives(void)
{
    static const u32 words[] = {0xc85f7c01, /* ldxr x1, [x0] */ 0xc802fc01, /* stlxr w2, x1, [x0] */
        0xc87f0c01, /* ldxp x1, x3, [x0] */ 0xc8dffc01, /* ldar x1, [x0] */ LEAVE};
    put(words, COUNT(words));
    steps_left = 9;
    WRITE("mdscr_el1", MDSCR_SS);
    at_el0((u64)code, (u64)data, 0, EL0 | SPSR_SS);
    WRITE("mdscr_el1", 0);
    print_steps("exclusives", (u64)code);
}

static void steps_at_el1(const char *what, u64 mdscr, u64 spsr)
{
    u64 base;
    steps_left = 3; /* not past the MSR that sets D: QEMU steps that, though D masks the step (CheckSoftwareStep) */
    WRITE("mdscr_el1", mdscr);
    asm volatile("adr %0, 1f\n\tmsr elr_el1, %0\n\tmsr spsr_el1, %1\n\teret\n"
                 "1:\tnop\n\tnop\n\tadd x3, x3, #1\n\tmsr daifset, #8\n\tnop\n\tnop"
                 : "=&r"(base) : "r"(spsr) : "memory", "cc", "x3");
    WRITE("mdscr_el1", 0);
    print_steps(what, base);
}

/* Runs "nop; nop; nop; leave" at EL0, and as much at EL1 with D clear. */
static void over_code(const char *what)
{
    static const u32 words[] = {0xd503201f, 0xd503201f, 0xd503201f, LEAVE};
    put(words, COUNT(words));
    at_el0((u64)code, 0, 0, EL0);
    say("EL0 %s: ", what);
    outcome("");
    code[3] = 0xd65f03c0; /* ret */
    asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(code) : "memory");
    asm volatile("msr daifclr, #8\n\tblr %0\n\tmsr daifset, #8" :: "r"(code) : "memory", "x30");
    say("EL1 %s: ", what);
    outcome("");
}

#define BREAKPOINT(number, address, control) do { \
        WRITE("dbgbvr" #number "_el1", address); \
        WRITE("dbgbcr" #number "_el1", control); \
    } while (0)

static void breakpoints(void)
{
    u64 second = (u64)code + 4;
    BREAKPOINT(0, second, ENABLED | AT_EL0 | AT_EL1 | BAS(15));
    over_code("MDE clear");
    WRITE("mdscr_el1", MDSCR_MDE);
    over_code("KDE clear");
    WRITE("mdscr_el1", MDSCR_MDE | MDSCR_KDE);
    over_code("both levels");
    BREAKPOINT(0, second, ENABLED | AT_EL0 | BAS(15));
    over_code("EL0 only");
    BREAKPOINT(0, second, ENABLED | AT_EL1 | BAS(15));
    over_code("EL1 only");
    BREAKPOINT(0, second, AT_EL0 | AT_EL1 | BAS(15));
    over_code("not enabled");
    BREAKPOINT(0, second + 64, ENABLED | AT_EL0 | AT_EL1 | BAS(15));
    over_code("elsewhere");
    BREAKPOINT(0, 0, 0);
    BREAKPOINT(5, second + 4, ENABLED | AT_EL0 | AT_EL1 | BAS(15));
    over_code("the last");
    BREAKPOINT(1, second, ENABLED | AT_EL0 | AT_EL1 | BAS(15));
    over_code("two");
    /* not with the OS lock: QEMU 7.2 looks at the wrong bit of OSLSR_EL1 */
    BREAKPOINT(1, 0, 0);
    /* an address linked to a context */
    WRITE("contextidr_el1", 0x1234);
    BREAKPOINT(5, 0x1234, ENABLED | AT_EL0 | AT_EL1 | BAS(15) | 3UL << 20);
    BREAKPOINT(0, second, ENABLED | AT_EL0 | AT_EL1 | BAS(15) | 1UL << 20 | 5UL << 16);
    over_code("linked to this context");
    WRITE("contextidr_el1", 0x1235);
    over_code("linked to another context");
    WRITE("contextidr_el1", 0);
    BREAKPOINT(0, 0, 0);
    BREAKPOINT(5, 0, 0);
    WRITE("mdscr_el1", 0);
}

#define ACCESSES(A) \
    A("ldrb w2, [x0]", 1) A("ldrh w2, [x0]", 2) A("ldr w2, [x0]", 4) A("ldr x2, [x0]", 8) A("ldp x2, x3, [x0]", 16) \
    A("strb w2, [x0]", 1) A("str w2, [x0]", 4) A("str x2, [x0]", 8) A("stp x2, x3, [x0]", 16) \
    A("ldxr x2, [x0]", 8) A("stlr x2, [x0]", 8) A("swp x2, x3, [x0]", 8) A("prfm pldl1keep, [x0]", 8)

/* One line: each access at each offset: r and w are hits, R and W those whose FAR is not in the bytes. */
static void line(const char *what, u64 last)
{
    say("%s:", what);
#define ACCESS(text, bytes) \
    say(" "); \
    for (u64 offset = 0; offset < 32; offset += bytes) { \
        u64 before = trap.count; \
        register u64 x0 asm("x0") = (u64)data + offset; \
        asm volatile("msr daifclr, #8\n\t" text "\n\tmsr daifset, #8" : "+r"(x0) :: "memory", "x2", "x3"); \
        if (trap.count == before) { \
            say("."); \
        } else { \
            int inside = trap.far >= (u64)data + offset && trap.far < (u64)data + offset + bytes && trap.far <= last; \
            say(trap.esr & 64 ? inside ? "w" : "W" : inside ? "r" : "R"); \
        } \
    }
    ACCESSES(ACCESS)
    say("\n");
    told_all();
}

#define WATCHPOINT(number, address, control) do { \
        WRITE("dbgwvr" #number "_el1", address); \
        WRITE("dbgwcr" #number "_el1", control); \
    } while (0)

static void watchpoints(void)
{
    static const u8 bytes[] = {0xff, 0x0f, 0xf0, 0x01, 0x80, 0x3c};
    u64 place = (u64)data + 8;
    WRITE("mdscr_el1", MDSCR_MDE | MDSCR_KDE);
    for (unsigned k = 0; k < COUNT(bytes); k++) {
        WATCHPOINT(0, place, ENABLED | AT_EL1 | LOADS | STORES | BAS(bytes[k]));
        say("bytes %x ", bytes[k]);
        line("loads and stores", place + 7);
    }
    WATCHPOINT(0, place, ENABLED | AT_EL1 | LOADS | BAS(0xff));
    line("loads", place + 7);
    WATCHPOINT(0, place, ENABLED | AT_EL1 | STORES | BAS(0xff));
    line("stores", place + 7);
    WATCHPOINT(0, place, ENABLED | AT_EL0 | LOADS | STORES | BAS(0xff));
    line("EL0 only", place + 7);
    at_el0((u64)stub + 16, place + 3, 0, EL0);
    outcome("EL0 load");
    at_el0((u64)stub + 24, place + 3, 0, EL0);
    outcome("EL0 store");
    asm volatile("msr daifclr, #8\n\tldtrb w2, [%0]\n\tsttrb w2, [%0]\n\tmsr daifset, #8"
                 :: "r"(place) : "memory", "x2");
    say("LDTR and STTR: ");
    outcome("");
    WATCHPOINT(0, (u64)data + 16, ENABLED | AT_EL1 | LOADS | STORES | BAS(0xff) | 4UL << 24);
    line("16 bytes", (u64)data + 31);
    WATCHPOINT(0, 0, 0);
    WATCHPOINT(3, place, ENABLED | AT_EL1 | LOADS | STORES | BAS(0xff));
    line("the last", place + 7);
    WRITE("mdscr_el1", MDSCR_MDE);
    line("KDE clear", place + 7);
    WRITE("mdscr_el1", MDSCR_KDE);
    line("MDE clear", place + 7);
    WATCHPOINT(3, 0, 0);
    WRITE("mdscr_el1", 0);
}

void run(void)
{
    WRITE("sctlr_el1", 0x30d00980UL | 1UL << 23 | 1UL << 4);
    WRITE("oslar_el1", 0);
    say("debug\n");
    steps_at_el0(20, EL0 | SPSR_SS);
    steps_at_el0(20, EL0);
    steps_at_el0(2, EL0 | SPSR_SS);
    steps_of_exclusives();
    steps_at_el1("EL1", MDSCR_SS | MDSCR_KDE, 0x1c5 | SPSR_SS);
    steps_at_el1("EL1, D set", MDSCR_SS | MDSCR_KDE, 0x3c5 | SPSR_SS);
    steps_at_el1("EL1, KDE clear", MDSCR_SS, 0x1c5 | SPSR_SS);
    steps_at_el1("EL1, SS clear", MDSCR_SS | MDSCR_KDE, 0x1c5);
    breakpoints();
    watchpoints();
    say("end\n");
}
