/* Calls to the hypervisor, and the exceptions this program takes on purpose. */
#include "guest.h"

#define PSCI_VERSION 0x84000000
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_CPU_ON 0xc4000003
#define SMCCC_VERSION 0x80000000
#define VENDOR_CALL_UID 0x8600ff01
#define GUNYAH_IDENTIFY 0xc6008000
#define NOT_SUPPORTED ~0UL

/* Written by the vCPU itself only: an exception while "on" is set is recorded and stepped over. */
struct probe { int on; u64 esr, far, elr; };
static struct probe probes[MAX_CPUS];

static struct probe *this_probe(void)
{
    return &probes[READ_SYSREG(tpidr_el1)];
}

void power_off(void)
{
    u64 regs[8] = { PSCI_SYSTEM_OFF };
    smccc(regs);
    for (;;) {
        wfi();
    }
}

void unexpected_exception(struct frame *frame, u64 vector)
{
    print("\nunexpected exception, vector %lu: ESR 0x%lx FAR 0x%lx ELR 0x%lx\n", vector, READ_SYSREG(esr_el1),
            READ_SYSREG(far_el1), frame->elr);
    power_off();
}

void sync_exception(struct frame *frame)
{
    struct probe *probe = this_probe();
    if (!probe->on) {
        unexpected_exception(frame, 4);
    }
    probe->on = 0;
    probe->esr = READ_SYSREG(esr_el1);
    probe->far = READ_SYSREG(far_el1);
    probe->elr = frame->elr;
    frame->elr += 4;
}

/* An SMCCC call on a machine that may have nobody to answer: 0 when HVC is undefined there. */
int probe_smccc(u64 regs[8])
{
    struct probe *probe = this_probe();
    __atomic_store_n(&probe->on, 1, __ATOMIC_SEQ_CST);
    smccc(regs);
    int answered = __atomic_load_n(&probe->on, __ATOMIC_SEQ_CST);
    __atomic_store_n(&probe->on, 0, __ATOMIC_SEQ_CST);
    return answered;
}

u64 cpu_on(u64 mpidr, u64 index)
{
    u64 regs[8] = { PSCI_CPU_ON, mpidr, (u64) secondary_entry, index };
    smccc(regs);
    return regs[0];
}

static int is_gunyah(const u64 uid[8])
{
    return (u32) uid[0] == 0xcd8fd5c1 && (u32) uid[1] == 0xdb5f53a4 && (u32) uid[2] == 0x36ce6592
            && (u32) uid[3] == 0x145f3d67;
}

void identify_hypervisor(void)
{
    u64 psci[8] = { PSCI_VERSION };
    if (probe_smccc(psci)) {
        print("PSCI %lu.%lu", psci[0] >> 16, psci[0] & 0xffff);
    }
    u64 version[8] = { SMCCC_VERSION };
    if (probe_smccc(version) && version[0] != NOT_SUPPORTED) {
        print(", SMCCC %lu.%lu", version[0] >> 16, version[0] & 0xffff);
    }
    u64 uid[8] = { VENDOR_CALL_UID };
    if (!probe_smccc(uid) || !is_gunyah(uid)) {
        print("\nhypervisor: not Gunyah\n");
        return;
    }
    u64 info[8] = { GUNYAH_IDENTIFY };
    probe_smccc(info);
    print("\nhypervisor: Gunyah, UID %08lx-%08lx-%08lx-%08lx\n", uid[0], uid[1], uid[2], uid[3]);
    print("api_info 0x%lx (API version %lu), features 0x%lx 0x%lx 0x%lx\n", info[0], info[0] & 0x3fff, info[1],
            info[2], info[3]);
}

/* Reads where no translation is and reports the abort that was taken. */
void provoke_fault(void)
{
    struct probe *probe = this_probe();
    u64 where = 0x7fdead0000;
    __atomic_store_n(&probe->on, 1, __ATOMIC_SEQ_CST);
    (void) read64(where);
    if (__atomic_exchange_n(&probe->on, 0, __ATOMIC_SEQ_CST)) {
        print("no abort was taken for 0x%lx\n", where);
        return;
    }
    print("data abort: ESR_EL1 0x%lx (EC 0x%lx, ISS 0x%lx), FAR_EL1 0x%lx, ELR_EL1 0x%lx\n", probe->esr,
            probe->esr >> 26 & 0x3f, probe->esr & 0x1ffffff, probe->far, probe->elr);
    print("%s\n", (probe->esr & 0x3c) == 4 ? "a translation fault, as it should be" : "not a translation fault");
}
