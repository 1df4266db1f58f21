/*
 * Messages between vCPUs through shared memory: once with WFE and SEV, once with an SGI that ends a WFI. A round trip
 * is a number sent to vCPU 1 and the same number sent back. Rounds end by count or by time, whichever is first.
 */
#include "guest.h"

#define ROUNDS 2000
#define LIMIT_NS 300000000UL

/* What vCPU 1 says in its online word, plus the mode: ready for the first request, done with the last. */
#define READY 100
#define FINISHED 200

enum mode { BY_EVENT, BY_INTERRUPT, STOP };

static u64 online[MAX_CPUS];
static u64 request, reply, mode;

void sgi_interrupt(void)
{
    /* The interrupt only ends WFI; what was sent is in memory. */
}

static void send(u64 *box, u64 value, u64 to, enum mode how)
{
    store_release(box, value);
    if (how == BY_EVENT) {
        sev();
    } else {
        gic_send_sgi(to);
    }
}

static void await(u64 *box, u64 value, enum mode how)
{
    if (how == BY_EVENT) {
        while (load_acquire(box) != value) {
            wfe();
        }
        return;
    }
    mask_irqs();
    while (load_acquire(box) != value) {
        wfi();
        unmask_irqs();
        isb();
        mask_irqs();
    }
    unmask_irqs();
}

static void answer(enum mode how)
{
    for (u64 next = 1; next <= ROUNDS; next++) {
        await(&request, next, how);
        if (load_acquire(&mode) == STOP) {
            return;
        }
        send(&reply, next, 0, how);
    }
}

static void idle_for_ever(void)
{
    mask_irqs();
    for (;;) {
        wfi();
        unmask_irqs();
        isb();
        mask_irqs();
    }
}

/* vCPU 1 answers, the others only report. */
void secondary_main(u64 index)
{
    mmu_on();
    gic_init_cpu();
    unmask_irqs();
    store_release(&online[index], 1);
    sev();
    if (index == 1) {
        for (enum mode how = BY_EVENT; how <= BY_INTERRUPT; how++) {
            while (load_acquire(&mode) != READY + how) {
                wfe();
            }
            store_release(&online[index], READY + how);
            sev();
            answer(how);
            store_release(&online[index], FINISHED + how);
            sev();
        }
    }
    idle_for_ever();
}

static void await_state(u64 state)
{
    while (load_acquire(&online[1]) != state) {
        wfe();
    }
}

static void measure(enum mode how, const char *name)
{
    store_release(&request, 0);
    store_release(&reply, 0);
    store_release(&mode, READY + how);
    sev();
    await_state(READY + how);
    u64 begin = now();
    u64 most = 0;
    u64 round = 0;
    while (round < ROUNDS) {
        u64 t0 = now();
        if (nanoseconds(t0 - begin) > LIMIT_NS) {
            store_release(&mode, STOP);
            send(&request, round + 1, 1, how);
            break;
        }
        round++;
        send(&request, round, 1, how);
        await(&reply, round, how);
        u64 took = now() - t0;
        most = took > most ? took : most;
    }
    u64 took_all = now() - begin;
    await_state(FINISHED + how);
    print("messages by %s: %lu round trips, %lu ns each, longest %lu ns\n", name, round,
            nanoseconds(took_all) / (round ? round : 1), nanoseconds(most));
}

void measure_messages(u32 cpu_count)
{
    cpu_count = cpu_count > MAX_CPUS ? MAX_CPUS : cpu_count;
    if (cpu_count < 2) {
        print("messages: one vCPU only, nobody to talk to\n");
        return;
    }
    for (u64 cpu = 1; cpu < cpu_count; cpu++) {
        u64 t0 = now();
        u64 error = cpu_on(cpu, cpu);
        if (error) {
            print("vCPU %lu: CPU_ON answered 0x%lx\n", cpu, error);
            if (cpu == 1) {
                return;
            }
            continue;
        }
        while (load_acquire(&online[cpu]) == 0) {
            wfe();
        }
        print("vCPU %lu: on after %lu us\n", cpu, nanoseconds(now() - t0) / 1000);
    }
    measure(BY_EVENT, "WFE/SEV");
    measure(BY_INTERRUPT, "SGI/WFI");
}
