/* The order of events, and the prompt. */
#include "guest.h"

#define LOOP_ITERATIONS 4000000UL
#define LOOP_INSTRUCTIONS 8

static struct machine machine;
static u64 started;

static void measure_speed(void)
{
    u64 t0 = now();
    volatile u64 sum = count_loop(LOOP_ITERATIONS);
    (void) sum;
    u64 took = nanoseconds(now() - t0);
    u64 instructions = LOOP_ITERATIONS * LOOP_INSTRUCTIONS;
    print("speed: %lu million instructions in %lu us, %lu million/s\n", instructions / 1000000, took / 1000,
            instructions * 1000 / (took ? took : 1));
}

static int wait_for_key(void)
{
    mask_irqs();
    int c;
    while ((c = uart_take()) < 0) {
        wfi();
        unmask_irqs();
        isb();
        mask_irqs();
    }
    unmask_irqs();
    return c;
}

static u32 read_line(char *line, u32 size)
{
    u32 length = 0;
    for (;;) {
        int c = wait_for_key();
        if (c == '\r' || c == '\n') {
            print("\n");
            line[length] = 0;
            return length;
        }
        if ((c == 8 || c == 127) && length > 0) {
            length--;
            print("\b \b");
        } else if (c >= ' ' && c < 127 && length + 1 < size) {
            line[length++] = (char) c;
            print("%c", c);
        }
    }
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static void command(const char *line)
{
    if (same(line, "help")) {
        print("help   these lines\n"
              "mem    where memory is and how it is mapped\n"
              "ticks  timer interrupts taken, and for how long this guest runs\n"
              "fault  touch an unmapped address and show the abort\n"
              "off    power off (PSCI SYSTEM_OFF)\n");
    } else if (same(line, "mem")) {
        print_memory(machine.ram_size);
    } else if (same(line, "ticks")) {
        print("%lu timer interrupts, up %lu ms\n", ticks_taken(), nanoseconds(now() - started) / 1000000);
    } else if (same(line, "fault")) {
        provoke_fault();
    } else if (same(line, "off")) {
        print("power off\n");
        power_off();
    } else if (*line) {
        print("unknown command '%s', try help\n", line);
    }
}

void first_main(u64 dtb)
{
    started = now();
    print("\nGunyah built-in guest\n");
    identify_hypervisor();
    if (!fdt_read(dtb, &machine)) {
        print("no usable device tree at 0x%lx, power off\n", dtb);
        power_off();
    }
    print("machine: %lu MiB RAM, %lu vCPUs, MIDR 0x%lx, counter %lu kHz\n", machine.ram_size / MIB,
            (u64) machine.cpu_count, READ_SYSREG(midr_el1), READ_SYSREG(cntfrq_el0) / 1000);
    mmu_build(machine.ram_size);
    mmu_on();
    print("MMU on: identity map, 4 KiB granule, 39-bit addresses\n");
    measure_paging(machine.ram_size, machine.dtb, machine.dtb_size);
    measure_speed();
    gic_init_distributor();
    gic_init_cpu();
    unmask_irqs();
    measure_timer();
    measure_messages(machine.cpu_count);
    timer_keep_ticking();
    uart_interrupts();
    print("ready, type help\n");
    for (;;) {
        char line[64];
        print("> ");
        read_line(line, sizeof line);
        command(line);
    }
}
