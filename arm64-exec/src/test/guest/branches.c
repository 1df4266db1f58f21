// Branches by register: guarded pages and PSTATE.BTYPE, pointer authentication; random numbers.
#include "guest.h"

#define GB 0x40000000UL
/* The RAM once more: guarded, for EL0, and for EL0 guarded. */
#define GUARDED_VIEW (1 * GB)
#define USER_VIEW (2 * GB)
#define USER_GUARDED_VIEW (3 * GB)

#define SCTLR 0x30d00980UL
#define SCTLR_KEYS (1UL << 31 | 1UL << 30 | 1UL << 27 | 1UL << 13)
#define SCTLR_BT0 (1UL << 35)
#define SCTLR_BT1 (1UL << 36)

static u64 level1[512] __attribute__((aligned(4096)));
/* What is branched from and to. */
static u32 from[4] __attribute__((aligned(64)));
static u32 to[4] __attribute__((aligned(64)));

static void enable(void)
{
    const u64 normal = 1UL << 10 | 3UL << 8 | 1UL << 2 | 1;
    const u64 user = 1UL << 6 | 1UL << 7;
    const u64 guarded = 1UL << 50;
    level1[0] = 1UL << 10 | 1;
    level1[1] = GB | normal;
    level1[2] = GB | normal | guarded;
    level1[3] = GB | normal | user;
    level1[4] = GB | normal | user | guarded;
    WRITE("mair_el1", 0xff00);
    WRITE("tcr_el1", 25UL | 1UL << 23 | 0x3500UL);
    WRITE("ttbr0_el1", level1);
    asm volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
    WRITE("sctlr_el1", SCTLR | 1);
}

static void put(u32 *code, u32 first, u32 second)
{
    code[0] = first;
    code[1] = second;
    code[2] = 0xd4000fe1; /* svc #0x7f */
    asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(code) : "memory");
}

static const struct {
    const char *name;
    u32 word;
} sources[] = {
    {"b", 0x14000000}, {"br x16", 0xd61f0200}, {"br x17", 0xd61f0220}, {"br x3", 0xd61f0060}, {"blr x3", 0xd63f0060},
    {"blr x16", 0xd63f0200}, {"ret x3", 0xd65f0060}, {"braaz x16", 0xd61f0a1f}, {"brabz x3", 0xd61f0c7f},
    {"braa x17, x4", 0xd71f0a24}, {"brab x3, x4", 0xd71f0c64}, {"blraaz x3", 0xd63f087f},
    {"blrab x16, x4", 0xd73f0e04}};

static const struct {
    const char *name;
    u32 word;
} targets[] = {
    {"nop", 0xd503201f}, {"bti", 0xd503241f}, {"bti c", 0xd503245f}, {"bti j", 0xd503249f}, {"bti jc", 0xd50324df},
    {"paciasp", 0xd503233f}, {"pacibsp", 0xd503237f}, {"paciaz", 0xd503231f}, {"hint #33", 0xd503243f},
    {"brk", 0xd4200000}, {"hlt", 0xd4400000}, {"udf", 0}, {"ldr", 0xf94000c7}};

#define COUNT(array) (sizeof array / sizeof *array)

/* Runs from's instruction at one view, which branches to to's at another; X5 leads back. */
static void jump(u64 source, u64 target)
{
    register u64 x1 asm("x1") = source;
    register u64 x3 asm("x3") = target;
    register u64 x6 asm("x6") = (u64)to;
    asm volatile("mov x16, x3\n\tmov x17, x3\n\tmov x4, #0\n\tadr x5, 1f\n\tret x1\n1:"
                 : "+r"(x1), "+r"(x3) : "r"(x6) : "memory", "cc", "x2", "x4", "x5", "x7", "x16", "x17", "x30");
}

/* {@return what became of it: class and type, or nothing} */
static void result(u64 before)
{
    u64 kind = trap.esr >> 26;
    if (trap.count == before) {
        say(" -");
    } else if (kind == 0x0d || kind == 0x3c) {
        say(" %x.%x/%x", kind, trap.esr & 0x1ffffff, trap.spsr >> 10 & 3);
    } else {
        say(" %x", kind); /* may report any type (D1.3.4) */
    }
}

static void landings(u64 source_view, u64 target_view)
{
    for (unsigned t = 0; t < COUNT(targets); t++) {
        say("  %s:", targets[t].name);
        for (unsigned s = 0; s < COUNT(sources); s++) {
            u64 offset = ((u64)to + target_view) - ((u64)from + source_view);
            put(from, s ? sources[s].word : sources[s].word | ((offset >> 2) & 0x3ffffff), 0xd65f00a0);
            put(to, targets[t].word, 0xd65f00a0); /* ret x5 */
            u64 before = trap.count;
            jump((u64)from + source_view, (u64)to + target_view);
            result(before);
        }
        say("\n");
    }
    told_all();
}

static void guarded_pages(void)
{
    say("branches:");
    for (unsigned s = 0; s < COUNT(sources); s++) {
        say(" %s;", sources[s].name);
    }
    say("\nfrom a plain to a plain page\n");
    landings(0, 0);
    say("from a plain to a guarded page\n");
    landings(0, GUARDED_VIEW);
    say("from a guarded to a guarded page\n");
    landings(GUARDED_VIEW, GUARDED_VIEW);
    say("from a guarded to a plain page\n");
    landings(GUARDED_VIEW, 0);
    WRITE("sctlr_el1", SCTLR | 1 | SCTLR_BT1);
    say("from a guarded to a guarded page, BT1\n");
    landings(GUARDED_VIEW, GUARDED_VIEW);
    WRITE("sctlr_el1", SCTLR | 1 | SCTLR_BT0);
    say("from a guarded to a guarded page, BT0\n");
    landings(GUARDED_VIEW, GUARDED_VIEW);
    WRITE("sctlr_el1", SCTLR | 1);
}

static void at_user(u64 sctlr)
{
    static const u32 branches[] = {0xd61f0060, 0xd63f0060, 0xd65f0060}; /* br x3, blr x3, ret x3 */
    WRITE("sctlr_el1", SCTLR | 1 | sctlr);
    for (unsigned s = 0; s < COUNT(branches); s++) {
        for (unsigned t = 0; t < COUNT(targets); t++) {
            if (targets[t].word == 0xf94000c7) {
                continue;
            }
            put(from, 0xaa0003e3, branches[s]); /* mov x3, x0 */
            put(to, targets[t].word, 0xd4000fe1);
            u64 before = trap.count;
            at_el0((u64)from + USER_GUARDED_VIEW, (u64)to + USER_GUARDED_VIEW, 0, 0x3c0);
            result(before);
        }
        say("\n");
    }
    told_all();
    WRITE("sctlr_el1", SCTLR | 1);
}

/* ERET to the guarded view of "nop; ret x5" with these bits in SPSR_EL1. */
static void return_with(u64 type, u32 word, u64 view)
{
    put(to, word, 0xd65f00a0);
    u64 before = trap.count;
    asm volatile("msr elr_el1, %0\n\tmsr spsr_el1, %1\n\tadr x5, 1f\n\teret\n1:"
                 :: "r"((u64)to + view), "r"(0x3c5UL | type << 10) : "memory", "cc", "x5", "x7", "x30");
    result(before);
}

static void returns(void)
{
    for (u64 type = 0; type < 4; type++) {
        say("return with type %d:", type);
        for (unsigned t = 0; t < 5; t++) {
            return_with(type, targets[t].word, GUARDED_VIEW);
            return_with(type, targets[t].word, 0);
        }
        say("\n");
    }
    /* the type is there when the fetch fails, and when the address is misaligned */
    RAW("mov x0, #0x1000000000000000\n\tblr x0");
    say("fetch that fails: type %d\n", trap.spsr >> 10 & 3);
    RAW("adr x0, stub\n\tadd x0, x0, #2\n\tblr x0");
    say("misaligned: type %d\n", trap.spsr >> 10 & 3);
    told_all();
}

/* Loops by X3 as often as X0 says, and counts in X2: a handler that skips an instruction there skips the count. */
asm("       .balign 4096\n"
    "calls: mov x9, x30\n"
    "1:     blr x3\n"
    "       subs x0, x0, #1\n"
    "       b.ne 1b\n"
    "       ret x9\n"
    "jumps: mov x30, x30\n"
    "1:     br x3\n"
    "back:  subs x0, x0, #1\n"
    "       b.ne 1b\n"
    "       ret\n"
    "to_call: bti c\n"
    "       add x2, x2, #1\n"
    "       ret\n"
    "to_jump: bti j\n"
    "       add x2, x2, #1\n"
    "       b back\n"
    "to_ret: add x2, x2, #1\n"
    "       ret\n"
    "to_back: add x2, x2, #1\n"
    "       b back\n");
extern char calls[], jumps[], to_call[], to_jump[], to_ret[], to_back[];

static void loop(const char *what, char *code, char *target, u64 view)
{
    register u64 x0 asm("x0") = 600;
    register u64 x1 asm("x1") = (u64)code + view;
    register u64 x2 asm("x2") = 0;
    register u64 x3 asm("x3") = (u64)target + view;
    u64 before = trap.count;
    asm volatile("adr x30, 1f\n\tret x1\n1:" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) :: "memory", "cc", "x9", "x30");
    say("%s: %d done, %d exceptions\n", what, x2, trap.count - before);
    told_all();
}

static void loops(u64 view)
{
    loop("calls of bti c", calls, to_call, view);
    loop("jumps to bti j", jumps, to_jump, view);
    loop("calls of add", calls, to_ret, view);
    loop("jumps to add", jumps, to_back, view);
}

#define SIGNED(what, instruction, pointer, modifier) do { \
        register u64 x0 asm("x0") = (pointer); \
        register u64 x1 asm("x1") = (modifier); \
        asm volatile(instruction : "+r"(x0) : "r"(x1)); \
        say("%s %x\n", what, x0); \
    } while (0)

static void keys(void)
{
    WRITE("apiakeylo_el1", 0x0123456789abcdefUL);
    WRITE("apiakeyhi_el1", 0xfedcba9876543210UL);
    WRITE("apibkeylo_el1", 0x1111111111111111UL);
    WRITE("apibkeyhi_el1", 0x2222222222222222UL);
    WRITE("apdakeylo_el1", 0x3333333333333333UL);
    WRITE("apdakeyhi_el1", 0x4444444444444444UL);
    WRITE("apdbkeylo_el1", 0x5555555555555555UL);
    WRITE("apdbkeyhi_el1", 0x6666666666666666UL);
    WRITE("apgakeylo_el1", 0x7777777777777777UL);
    WRITE("apgakeyhi_el1", 0x8888888888888888UL);
}

static void pointers(u64 sctlr)
{
    WRITE("sctlr_el1", SCTLR | 1 | sctlr);
    SIGNED("pacia", "pacia x0, x1", 0x40201234UL, 5);
    SIGNED("pacib", "pacib x0, x1", 0xFFFFFF8000001234UL, 5);
    SIGNED("pacda", "pacda x0, x1", 0x40201234UL, 5);
    SIGNED("pacdzb", "pacdzb x0", 0x40201234UL, 5);
    SIGNED("pacia of no pointer", "pacia x0, x1", 0x1240201234UL << 20, 5);
    SIGNED("pacia, autia", "pacia x0, x1\n\tautia x0, x1", 0x40201234UL, 5);
    SIGNED("pacia, autib", "pacia x0, x1\n\tautib x0, x1", 0x40201234UL, 5);
    SIGNED("pacdb, autda", "pacdb x0, x1\n\tautda x0, x1", 0xFFFFFF8000001234UL, 5);
    SIGNED("pacdb, xpacd", "pacdb x0, x1\n\txpacd x0", 0xFFFFFF8000001234UL, 5);
    SIGNED("pacga", "pacga x0, x0, x1", 0x40201234UL, 5);
    /* what uses them */
    RAW("adr x30, 1f\n\tmov x5, sp\n\tpaciasp\n\tretaa\n1:");
    outcome("paciasp, retaa");
    RAW("adr x30, 1f\n\tpacibsp\n\tretab\n1:");
    outcome("pacibsp, retab");
    RAW("adr x0, 1f\n\tmov x1, #77\n\tpacia x0, x1\n\tbraa x0, x1\n1:");
    outcome("pacia, braa");
    RAW("adr x0, 1f\n\tpacizb x0\n\tblrabz x0\n1:");
    outcome("pacizb, blrabz");
    RAW("mov x0, sp\n\tmov x1, x0\n\tpacdza x0\n\t"
        "ldraa x2, [x0, #16]\n\tldr x3, [x1, #16]\n\tcmp x2, x3\n\tb.eq 1f\n\tudf #1\n1:");
    outcome("pacdza, ldraa");
    RAW("mov x2, sp\n\tpacdzb x2\n\tldrab x3, [x2, #-8]!\n\t"
        "mov x0, sp\n\tsub x0, x0, #8\n\tcmp x2, x0\n\tb.eq 1f\n\tudf #2\n1:");
    outcome("pacdzb, ldrab with write-back");
    RAW("adr x0, 1f\n\tmov x1, sp\n\tpacia x0, x1\n\t"
        "msr elr_el1, x0\n\tmov x0, #0x3c5\n\tmsr spsr_el1, x0\n\teretaa\n1:");
    outcome("eretaa");
    RAW("adr x0, 1f\n\tmov x1, sp\n\tpacib x0, x1\n\t"
        "msr elr_el1, x0\n\tmov x0, #0x3c5\n\tmsr spsr_el1, x0\n\teretab\n1:");
    outcome("eretab");
    /* and forged ones: the handler goes back by X30 */
    RAW("adr x30, 1f\n\tadr x0, stub\n\tpacia x0, x1\n\teor x0, x0, #1 << 50\n\tbraa x0, x1\n1:");
    outcome("forged braa");
    RAW("adr x0, stub\n\tmov x1, #9\n\tpacib x0, x1\n\teor x0, x0, #1 << 50\n\tblrab x0, x1");
    outcome("forged blrab");
    RAW("mov x0, sp\n\tpacdza x0\n\teor x0, x0, #1 << 49\n\tldraa x2, [x0]");
    outcome("forged ldraa");
    told_all();
    WRITE("sctlr_el1", SCTLR | 1);
}

static void random_numbers(void)
{
    u64 first, second, third, flags;
    asm volatile("msr nzcv, %4\n\tmrs %0, rndr\n\tmrs %3, nzcv\n\tmrs %1, rndr\n\tmrs %2, rndrrs"
                 : "=&r"(first), "=&r"(second), "=&r"(third), "=&r"(flags) : "r"(0xF0000000UL) : "cc");
    say("rndr: flags %x, %s\n", flags, first == second || second == third ? "the same again" : "different ones");
    RAW(".inst 0xd51b2400"); /* msr rndr, x0 */
    outcome("msr rndr");
}

void run(void)
{
    say("branches\n");
    enable();
    keys();
    guarded_pages();
    say("EL0, br, blr and ret from guarded to guarded pages\n");
    at_user(0);
    say("with BT0\n");
    at_user(SCTLR_BT0);
    returns();
    say("loops in a plain page\n");
    loops(0);
    say("loops in a guarded page\n");
    loops(GUARDED_VIEW);
    loops(GUARDED_VIEW);
    say("keys off\n");
    pointers(0);
    say("keys on\n");
    pointers(SCTLR_KEYS);
    random_numbers();
    say("end\n");
}
