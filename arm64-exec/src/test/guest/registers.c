// Every encoding of MRS, MSR (register) and SYS: which exist at EL1 and at EL0, and what the others raise.
#include "guest.h"

#define BATCH 1024UL

#define MRS 0xd5200000u
#define MSR 0xd5000000u
#define LEAVE 0xd4000fe1u /* svc #0x7f */
#define RET 0xd65f03c0u
#define UNDEFINED 0x2000000UL

static u32 code[2 * BATCH] __attribute__((aligned(4096)));
static u8 line[64] __attribute__((aligned(64)));
static u64 found[BATCH];
static u8 result[BATCH][3];

struct encoding {
    u32 op0, op1, crn, crm, op2;
};

static struct encoding fields(u64 key)
{
    return (struct encoding){key >> 14, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15, key & 7};
}

static int skipped(u64 key)
{
    struct encoding e = fields(key);
    if (e.op0 == 3 && e.op1 == 0 && e.crn == 0 && e.crm) {
        return 1; /* identification registers, which all read as something */
    }
    if (e.op0 == 3 && e.op1 == 0 && ((e.crn == 12 && e.crm >= 8) || (e.crn == 4 && e.crm == 6))) {
        return 1; /* the interrupt controller's */
    }
    if (e.crn == 11 || e.crn == 15) {
        return 1; /* IMPLEMENTATION DEFINED */
    }
    switch (key) {
    case 0x5ba1: /* DC ZVA: QEMU 7.2 does not check that the memory is no device */
    case 0x8002: /* OSDTRRX_EL1 */
    case 0x801a: /* OSDTRTX_EL1 */
    case 0x8032: /* OSECCR_EL1 */
    case 0x80a4: /* DBGPRCR_EL1 */
    case 0x83f6: /* DBGAUTHSTATUS_EL1 */
    case 0x9820: /* DBGDTR_EL0 */
    case 0x9828: /* DBGDTRRX_EL0: QEMU 7.2 lacks these seven */
    case 0xc601: /* RVBAR_EL1: of CPUs whose highest level is EL1 */
        return 1;
    }
    return 0;
}

/* MSR writes back what is there. */
static int is_written(u64 key)
{
    return key != 0xdf00; /* CNTFRQ_EL0: EL1 may write it where there is no EL2 */
}

static u32 word(u64 key, u32 kind)
{
    return (key >> 14 == 1 ? 0xd5000000u : kind) | (u32)key << 5;
}

static void fill(u64 first, u32 kind, u32 then)
{
    for (u64 k = 0; k < BATCH; k++) {
        code[2 * k] = word(first + k, kind);
        code[2 * k + 1] = then;
    }
    asm volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
}

static u64 execute(u64 k, u64 value)
{
    register u64 x0 asm("x0") = value;
    asm volatile("blr %1" : "+r"(x0) : "r"(code + 2 * k) : "memory", "cc", "x30");
    return x0;
}

/* {@return the class of the exception since then, 0 for UNDEFINED, 0xff for none} */
static u8 since(u64 before)
{
    return trap.count == before ? 0xff : trap.esr == UNDEFINED ? 0 : (u8)(trap.esr >> 26);
}

static void batch(u64 first)
{
    int system = first >> 14 != 1;
    fill(first, MRS, RET);
    for (u64 k = 0; k < BATCH; k++) {
        u64 before = trap.count;
        found[k] = skipped(first + k) ? 0 : execute(k, (u64)line);
        result[k][0] = skipped(first + k) ? 0 : since(before);
        result[k][1] = 0;
    }
    if (system) {
        fill(first, MSR, RET);
        for (u64 k = 0; k < BATCH; k++) {
            u64 before = trap.count;
            if (!skipped(first + k) && is_written(first + k)) {
                execute(k, result[k][0] == 0xff ? found[k] : 0);
                result[k][1] = since(before);
            }
        }
    }
    fill(first, MRS, LEAVE);
    for (u64 k = 0; k < BATCH; k++) {
        u64 before = trap.count;
        result[k][2] = 0;
        if (!skipped(first + k)) {
            at_el0((u64)(code + 2 * k), (u64)line, 0, 0x3c0);
            result[k][2] = since(before);
        }
    }
}

static void told(u8 what, const char *name)
{
    if (what == 0xff) {
        say(" %s", name);
    } else if (what) {
        say(" %s %x", name, what);
    }
}

void run(void)
{
    WRITE("sctlr_el1", 0x30d00980UL);
    WRITE("cntkctl_el1", 0);
    say("registers\n");
    for (u64 first = 1UL << 14; first < 1UL << 16; first += BATCH) {
        batch(first);
        for (u64 k = 0; k < BATCH; k++) {
            if (!(result[k][0] | result[k][1] | result[k][2])) {
                continue;
            }
            struct encoding e = fields(first + k);
            say("S%d_%d_C%d_C%d_%d:", (u64)e.op0, (u64)e.op1, (u64)e.crn, (u64)e.crm, (u64)e.op2);
            told(result[k][0], e.op0 == 1 ? "sys" : "mrs");
            told(result[k][1], "msr");
            told(result[k][2], "el0");
            say("\n");
        }
        told_all();
    }
    say("end\n");
}
