/*
 * Self-hosted debug as a debugger inside a guest uses it: software step, breakpoints, watchpoints, at EL0 and EL1. Every
 * debug exception is a line with what it says; code is named by its offset, so that the lines do not depend on the build.
 */
typedef unsigned long u64;
typedef unsigned int u32;

#define READ(reg) ({ u64 v_; __asm__ volatile("mrs %0, " #reg : "=r"(v_)); v_; })
#define WRITE(reg, value) __asm__ volatile("msr " #reg ", %0; isb" :: "r"((u64)(value)) : "memory")

#define SS 1u
#define KDE (1u << 13)
#define MDE (1u << 15)
#define SPSR_SS (1u << 21)
#define SPSR_D (1u << 9)
#define EL1 2u
#define EL0 4u
#define BOTH 6u

struct frame { u64 x[31], elr, spsr, esr; };

extern void at_el0(void (*code)(void *), void *argument);
extern char left[], power_off[];
extern void stepped(void *), stepped_el1(void *), broken(void *), watched(void *), unprivileged(void *);

char stack[16384] __attribute__((aligned(16)));
__asm__(".globl stack_end\n.set stack_end, stack + 16384");
static char data[8192] __attribute__((aligned(4096)));
static void (*code)(void *);
static int steps;

static void put(char c)
{
    *(volatile unsigned char *)0x9000000 = (unsigned char)c;
}

static void text(const char *s)
{
    while (*s)
        put(*s++);
}

static void hex(u64 value)
{
    int shift = 60;
    while (shift > 0 && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void title(const char *name)
{
    text(name);
    put('\n');
}

/* Called by the vectors for every exception. */
void trap(struct frame *f)
{
    u64 ec = f->esr >> 26;
    u64 offset = f->elr - (u64)code;
    if (ec == 0x15 && (f->esr & 0xffff) == 0) {
        /* the code at EL0 is done */
        f->elr = (u64)left;
        f->spsr = 0x3c5;
        return;
    }
    text("  ec ");
    hex(ec);
    text(" iss ");
    hex(f->esr & 0x1ffffff);
    text(" at ");
    if (offset < 0x200)
        hex(offset);
    else
        text("elsewhere");
    text(f->spsr & SPSR_SS ? " ss" : "");
    if (ec == 0x34 || ec == 0x35) {
        text(" far ");
        hex(READ(far_el1) - (u64)data);
    }
    put('\n');
    switch (ec) {
    case 0x15:
        break;
    case 0x00:
        f->elr += 4;
        break;
    case 0x32:
    case 0x33:
        if (--steps > 0)
            f->spsr |= SPSR_SS;
        else
            WRITE(mdscr_el1, READ(mdscr_el1) & ~(u64)SS);
        break;
    case 0x30:
    case 0x31:
        /* the instruction is a nop and left out */
        f->elr += 4;
        break;
    case 0x34:
    case 0x35:
        /* the access is left out */
        f->elr += 4;
        break;
    default:
        text("unexpected\n");
        f->elr = (u64)power_off;
    }
}

static void breakpoint(int n, u64 value, u64 control)
{
    switch (n) {
    case 0: WRITE(dbgbvr0_el1, value); WRITE(dbgbcr0_el1, control); break;
    case 1: WRITE(dbgbvr1_el1, value); WRITE(dbgbcr1_el1, control); break;
    default: WRITE(dbgbvr4_el1, value); WRITE(dbgbcr4_el1, control); break;
    }
}

static void watchpoint(int n, u64 value, u64 control)
{
    switch (n) {
    case 0: WRITE(dbgwvr0_el1, value); WRITE(dbgwcr0_el1, control); break;
    default: WRITE(dbgwvr3_el1, value); WRITE(dbgwcr3_el1, control); break;
    }
}

static void at_el1(void (*what)(void *), void *argument)
{
    __asm__ volatile("msr daifclr, #8" ::: "memory");
    what(argument);
    __asm__ volatile("msr daifset, #8" ::: "memory");
}

static void either(const char *name, void (*what)(void *), void *argument)
{
    text(name);
    title(" el0");
    code = what;
    at_el0(what, argument);
    text(name);
    title(" el1");
    at_el1(what, argument);
}

static void single_step(void)
{
    title("step at el0");
    code = stepped;
    steps = 100;
    WRITE(mdscr_el1, SS);
    at_el0(stepped, data);
    WRITE(mdscr_el1, 0);

    title("step that ends");
    steps = 4;
    WRITE(mdscr_el1, SS);
    at_el0(stepped, data);
    WRITE(mdscr_el1, 0);

    title("step at el1");
    code = stepped_el1;
    steps = 3;
    WRITE(mdscr_el1, SS | KDE);
    stepped_el1(data);
    WRITE(mdscr_el1, 0);

    title("masked at el1");
    WRITE(mdscr_el1, SS);
    stepped_el1(data);
    WRITE(mdscr_el1, 0);
}

#define BREAK(levels) (0x1e1u | (levels))

static void breakpoints(void)
{
    u64 loop = (u64)broken + 4, end = (u64)broken + 16;
    WRITE(mdscr_el1, MDE | KDE);
    breakpoint(0, loop, BREAK(EL0));
    breakpoint(1, end, BREAK(EL1));
    either("break", broken, data);
    breakpoint(0, loop, BREAK(BOTH) & ~1u);
    breakpoint(1, loop + 0x1000, BREAK(BOTH));
    either("break elsewhere", broken, data);

    breakpoint(1, end, BREAK(BOTH) | 1 << 20 | 4 << 16);
    breakpoint(4, 0x1234, BREAK(BOTH) | 3 << 20);
    either("linked, other context", broken, data);
    WRITE(contextidr_el1, 0x1234);
    either("linked, context", broken, data);
    breakpoint(1, 0, 0);
    either("context alone, linked", broken, data);
    breakpoint(4, 0, 0);
    breakpoint(0, loop, BREAK(BOTH));
    WRITE(mdscr_el1, KDE);
    either("without MDE", broken, data);
    WRITE(mdscr_el1, MDE);
    either("without KDE", broken, data);
    WRITE(mdscr_el1, MDE | KDE);
    title("masked");
    broken(data);
    breakpoint(0, 0, 0);
}

#define WATCH(levels, access, bytes) (1u | (levels) | (access) << 3 | (u32)(bytes) << 5)

static void watchpoints(void)
{
    char *at = data + 4096;
    WRITE(mdscr_el1, MDE | KDE);
    watchpoint(0, (u64)at, WATCH(BOTH, 3, 0x08));
    either("byte 3", watched, at);
    watchpoint(0, (u64)at, WATCH(BOTH, 1, 0xf0));
    either("loads of bytes 4 to 7", watched, at);
    watchpoint(0, (u64)at + 4, WATCH(BOTH, 2, 0x0f));
    either("stores to bytes 4 to 7", watched, at);
    watchpoint(0, (u64)at, WATCH(EL0, 3, 0xff));
    either("for el0", watched, at);
    watchpoint(0, (u64)at, WATCH(EL1, 3, 0xff));
    either("for el1", watched, at);
    watchpoint(0, (u64)at + 8, WATCH(BOTH, 3, 0xff));
    watchpoint(3, (u64)at + 64, WATCH(BOTH, 1, 0xff) | 6 << 24);
    either("two, one by mask", watched, at);
    watchpoint(3, 0, 0);
    watchpoint(0, (u64)at, WATCH(EL0, 3, 0xff));
    title("unprivileged");
    code = unprivileged;
    at_el1(unprivileged, at);
    watchpoint(0, (u64)at, WATCH(EL1, 3, 0xff));
    title("privileged");
    at_el1(unprivileged, at);
    watchpoint(0, (u64)at, WATCH(BOTH, 3, 0xff));
    WRITE(mdscr_el1, KDE);
    either("off", watched, at);
    WRITE(mdscr_el1, MDE);
    either("kernel off", watched, at);
    watchpoint(0, (u64)data, WATCH(BOTH, 3, 0xff) & ~1u);
    WRITE(mdscr_el1, MDE | KDE);
    either("disabled", watched, at);
}

void run(void)
{
    u64 features = READ(id_aa64dfr0_el1);
    text("breakpoints ");
    hex(features >> 12 & 15);
    text(" watchpoints ");
    hex(features >> 20 & 15);
    text(" contexts ");
    hex(features >> 28 & 15);
    text(" lock ");
    hex(READ(oslsr_el1) & 0xb);
    put('\n');
    WRITE(oslar_el1, 0);
    text("unlocked ");
    hex(READ(oslsr_el1) & 0xb);
    put('\n');
    single_step();
    breakpoints();
    watchpoints();
    text("done\n");
}
