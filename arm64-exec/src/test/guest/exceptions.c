// Exceptions: classes, syndromes, vectors, PSTATE, illegal returns, nesting, traps of EL0.
#include "guest.h"

#define SPSR_EL1H 5UL

/* ERET with this SPSR to label 1. */
#define RETURN_TO(spsr) \
    asm volatile("adr x0, 1f\n\tmsr elr_el1, x0\n\tmov x30, x0\n\tmsr spsr_el1, %0\n\teret\n1:\n\tnop" \
                 :: "r"((u64)(spsr)) : "x0", "x30", "memory", "cc")

static void at_el1(void)
{
    RAW("svc #0x1234");
    outcome("svc");
    RAW("brk #0xabcd");
    outcome("brk");
    RAW("udf #7");
    outcome("udf");
    RAW(".inst 0xd5381fe0"); /* a system register that does not exist */
    outcome("mrs of nothing");
    RAW(".inst 0xd5180000"); /* msr midr_el1, x0 */
    outcome("msr of a read-only register");
    RAW("mov x0, #0x70000000\n\tmsr nzcv, x0\n\tsvc #0");
    outcome("svc with flags");
    RAW("msr daifclr, #8\n\tsvc #0\n\tmsr daifset, #8");
    outcome("svc with D clear");
    RAW("msr spsel, #0\n\tmov x0, sp\n\tadr x1, stub\n\tmov sp, x1\n\tsvc #5\n\tmov sp, x0\n\tmsr spsel, #1");
    outcome("svc on SP_EL0");
    RAW("adr x0, stub\n\tadd x0, x0, #2\n\tblr x0");
    outcome("branch to an address of 2");
    RAW("adr x0, stub\n\tadd x0, x0, #1\n\tblr x0");
    outcome("branch to an address of 1");
    RAW("mov x0, #0x1000000000000000\n\tblr x0");
    outcome("branch to nowhere");
}

static void floating_point(void)
{
    WRITE("cpacr_el1", 0);
    RAW("fmov d0, #1.0");
    outcome("fp trapped");
    RAW("mrs x0, fpcr");
    outcome("fpcr trapped");
    RAW("ldr q0, [sp]");
    outcome("vector load trapped");
    WRITE("cpacr_el1", 1UL << 20);
    RAW("fmov d0, #1.0");
    outcome("fp at EL1");
    at_el0((u64)stub + 8, 0, 0, 0x3c0);
    outcome("nothing at EL0");
    WRITE("cpacr_el1", 3UL << 20);
}

static void illegal_returns(void)
{
    static const u64 modes[] = {0x3c9, 0x3cd, 0x3d3, 0x3c1, 0x3c6, 0x3c7, 0x3cf};
    for (unsigned k = 0; k < sizeof modes / sizeof *modes; k++) {
        RETURN_TO(modes[k] | 0xA0000000);
        say("%x: ", modes[k]);
        outcome("illegal return");
    }
    RETURN_TO(SPSR_EL1H | 0x3c0 | 1UL << 20);
    outcome("return with IL");
    RETURN_TO(SPSR_EL1H | 0x3c0);
    outcome("legal return");
    RETURN_TO(SPSR_EL1H | 0x3c0 | 1UL << 21);
    outcome("return with SS");
}

static void nesting(void)
{
    for (u64 depth = 1; depth < 4; depth++) {
        u64 before = trap.count;
        nested = depth;
        RAW("svc #0x77");
        say("nested %d: %d exceptions, ", depth, trap.count - before);
        outcome("last");
    }
    u64 before = trap.count;
    nested = 1;
    RAW("udf #1");
    say("udf in front of brk: %d exceptions\n", trap.count - before);
    outcome("last");
}

static u32 code[4] __attribute__((aligned(16)));

static void at(const char *what, u32 word, u64 x0)
{
    code[0] = word;
    code[1] = 0xd4000fe1; /* svc #0x7f */
    asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(code) : "memory");
    at_el0((u64)code, x0, 0, 0x3c0);
    outcome(what);
}

static void from_el0(void)
{
    u64 sctlr = READ("sctlr_el1");
    at("EL0 svc", 0xd4001541, 0);
    at("EL0 brk", 0xd4200020, 0);
    at("EL0 udf", 0x00000001, 0);
    at("EL0 hvc", 0xd4000002, 0);
    at("EL0 eret", 0xd69f03e0, 0);
    at("EL0 msr spsel", 0xd50040bf, 0);
    at("EL0 mrs sctlr", 0xd5381000, 0);
    at("EL0 msr vbar", 0xd518c003, 0);
    at("EL0 tlbi", 0xd508871f, 0);
    at("EL0 dc isw", 0xd5087640, 0);
    at("EL0 at", 0xd5087800, 0);
    at("EL0 mrs nzcv", 0xd53b4200, 0);
    at("EL0 mrs tpidr_el0", 0xd53bd040, 0);
    at("EL0 msr tpidrro_el0", 0xd51bd060, 0);
    WRITE("sctlr_el1", sctlr & ~(1UL << 9 | 1UL << 14 | 1UL << 15 | 1UL << 16 | 1UL << 18 | 1UL << 26));
    at("EL0 mrs daif", 0xd53b4220, 0);
    at("EL0 msr daif", 0xd51b4225, 0);
    /* not MSR DAIFSet and DAIFClr: QEMU 7.2 exchanges op1 and op2 in their syndrome */
    at("EL0 dc zva", 0xd50b7420, (u64)code & ~63UL);
    at("EL0 mrs ctr", 0xd53b0023, 0);
    at("EL0 wfi", 0xd503207f, 0);
    at("EL0 dc civac", 0xd50b7e20, (u64)code);
    at("EL0 dc cvau", 0xd50b7b20, (u64)code);
    at("EL0 ic ivau", 0xd50b7527, (u64)code);
    WRITE("sctlr_el1", sctlr | 1UL << 9 | 1UL << 15 | 1UL << 26);
    at("EL0 mrs daif", 0xd53b4220, 0);
    at("EL0 mrs ctr", 0xd53b0023, 0);
    at("EL0 dc civac", 0xd50b7e20, (u64)code);
    WRITE("sctlr_el1", sctlr);
    WRITE("cntkctl_el1", 0);
    at("EL0 mrs cntvct", 0xd53be042, 0);
    at("EL0 mrs cntpct", 0xd53be021, 0);
    at("EL0 mrs cntfrq", 0xd53be00a, 0);
    at("EL0 msr cntv_ctl", 0xd51be320, 0);
    at("EL0 msr cntp_cval", 0xd51be241, 0);
    WRITE("cntkctl_el1", 0x302);
    at("EL0 mrs cntvct", 0xd53be042, 0);
    at("EL0 mrs cntpct", 0xd53be021, 0);
    at("EL0 mrs cntfrq", 0xd53be00a, 0);
    WRITE("cpacr_el1", 1UL << 20);
    at("EL0 fp trapped", 0x1e6e1000, 0);
    WRITE("cpacr_el1", 3UL << 20);
    at("EL0 fp", 0x1e6e1000, 0);
    at("EL0 branch to an odd address", 0xd61f0000, (u64)code + 2);
    at("EL0 nop", 0xd503201f, 0);
    at_el0((u64)stub + 16, (u64)code, 0, 0xF00003c0);
    outcome("EL0 flags");
}

static void pstate(void)
{
    u64 sctlr = READ("sctlr_el1");
    WRITE("sctlr_el1", sctlr & ~(1UL << 23)); /* SPAN 0: PAN is set */
    RAW("svc #0\n\tmrs x5, S3_0_C4_C2_3");
    outcome("svc that sets PAN");
    at("EL0 svc that sets PAN", 0xd4000001, 0);
    WRITE("sctlr_el1", sctlr | 1UL << 23);
    RAW(".inst 0xd500419f\n\tsvc #0"); /* msr pan, #1 */
    outcome("svc with PAN");
    RAW(".inst 0xd500409f\n\tsvc #0");
    outcome("svc without PAN");
    RAW(".inst 0xd500417f\n\tsvc #0"); /* msr uao, #1 */
    outcome("svc with UAO");
    RAW(".inst 0xd500407f\n\tsvc #0");
    outcome("svc without UAO");
    RAW(".inst 0xd503415f\n\tsvc #0\n\t.inst 0xd503405f"); /* msr dit, #1 */
    outcome("svc with DIT");
    WRITE("sctlr_el1", sctlr);
}

void run(void)
{
    WRITE("sctlr_el1", 0x30d00980UL | 1UL << 23 | 1UL << 4);
    RAW(".inst 0xd500409f");
    say("exceptions\n");
    at_el1();
    floating_point();
    illegal_returns();
    nesting();
    from_el0();
    pstate();
    say("end\n");
}
