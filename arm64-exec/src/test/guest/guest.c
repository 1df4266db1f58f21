// Output on the PL011 and the exception handler of the bare-metal tests.
#include "guest.h"
#include <stdarg.h>

#define UART (*(volatile u32 *)0x09000000UL)
#define SPSR_SEEN 0xF1F003DFUL /* not TCO and SSBS, which depend on what else a CPU has */

volatile struct trap trap;
volatile u64 resume, nested, steps_left, steps;
volatile struct trap trail[32];
static u64 told;

struct frame {
    u64 x[31];
    u64 elr;
    u64 spsr;
};

static void put(char c)
{
    UART = (u8)c;
}

static void number(u64 value, int base)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count) {
        put(digits[--count]);
    }
}

void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 'x':
            number(va_arg(values, u64), 16);
            break;
        case 'd':
            number(va_arg(values, u64), 10);
            break;
        default:
            for (const char *text = va_arg(values, const char *); *text; text++) {
                put(*text);
            }
        }
    }
    va_end(values);
}

/* {@return 1 to leave EL0 for whoever called at_el0} */
u64 handle(u64 vector, struct frame *frame)
{
    u64 kind = READ("esr_el1") >> 26;
    int leaves = vector >= 8 && kind == 0x15 && (READ("esr_el1") & 0xFFFF) == 0x7f;
    if (leaves) {
        return 1;
    }
    trap.count++;
    trap.vector = vector;
    trap.esr = READ("esr_el1");
    trap.far = READ("far_el1");
    trap.elr = frame->elr;
    trap.spsr = frame->spsr;
    if (kind == 0x32 || kind == 0x33) {
        if (steps < sizeof trail / sizeof *trail) {
            trail[steps].esr = trap.esr;
            trail[steps].elr = trap.elr;
            trail[steps].spsr = trap.spsr;
        }
        steps++;
        if (steps_left && --steps_left) {
            frame->spsr |= 1UL << 21;
        } else {
            WRITE("mdscr_el1", READ("mdscr_el1") & ~1UL);
        }
        return 0;
    }
    if (nested) {
        nested--;
        asm volatile("brk #0x123" ::: "memory");
    }
    if (vector >= 8 && (kind == 0x20 || kind == 0x22 || kind == 0x0e)) {
        return 1;
    }
    if (resume) {
        frame->elr = resume;
        resume = 0;
    } else if (kind == 0x21 || kind == 0x22 || kind == 0x0e) {
        frame->elr = frame->x[30];
    } else if (kind != 0x15 && kind != 0x2f) {
        frame->elr += 4;
    }
    frame->spsr &= ~(1UL << 20 | 3UL << 10);
    return 0;
}

static int happened(const char *what)
{
    int count = (int)(trap.count - told);
    told = trap.count;
    if (!count) {
        say("%s ok", what);
    } else if (count > 1) {
        say("%s %d exceptions, last ", what, (u64)count);
    } else {
        say("%s ", what);
    }
    return count;
}

void told_all(void)
{
    told = trap.count;
}

void outcome(const char *what)
{
    if (happened(what)) {
        u64 kind = trap.esr >> 26;
        say("esr %x vector %x spsr %x", trap.esr, trap.vector * 0x80, trap.spsr & SPSR_SEEN);
        if ((kind >= 0x20 && kind <= 0x25)) {
            say(" far %x", trap.far);
        }
    }
    say("\n");
}

void brief(const char *what)
{
    if (happened(what)) {
        say("%x", trap.esr);
    }
    say(" ");
}
